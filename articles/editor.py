"""The body editor: CKEditor 4 cut down to what the sanitiser allows (docs/decisions/editor.md).

The editor's own filter is a comfort, never a defence: `articles.fields.HTMLField` sanitises on the
server whatever reaches the database.
"""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE

from articles.sanitise import ckeditor_allowed_content

POLICY = {
    # CKEditor's buttons are event-handler attributes and it writes style attributes; script
    # elements stay limited to our own files (docs/decisions/editor.md).
    "script-src-elem": [SELF],
    "script-src-attr": [UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}

REMOVED_PLUGINS = (
    "about", "adobeair", "ajax", "autoembed", "autogrow", "bbcode", "bidi", "codesnippet",
    "codesnippetgeshi", "colorbutton", "colordialog", "copyformatting", "devtools", "dialogadvtab",
    "div", "docprops", "elementspath", "embed", "embedbase", "embedsemantic", "exportpdf",
    "filebrowser", "find", "flash", "font", "forms", "iframe", "iframedialog", "image", "image2",
    "indentblock", "justify", "language", "liststyle", "magicline", "mathjax", "maximize", "newpage",
    "pagebreak", "pastefromgdocs", "pastefromlibreoffice", "pastefromword", "pastetools", "placeholder", "preview",
    "print", "save", "scayt", "sharedspace", "showblocks", "smiley", "sourcearea", "sourcedialog",
    "stylescombo", "stylesheetparser", "tableresize", "tableselection", "tabletools", "templates",
    "uicolor", "uploadimage", "uploadwidget", "wsc", "wysiwygarea", "contextmenu",
)  # fmt: skip


def configuration() -> dict[str, Any]:
    """CKEDITOR_CONFIGS["default"]: edits inside the page (`divarea`), uploads nothing, asks nobody."""
    return {
        "skin": "moono-lisa",
        "customConfig": "",
        "versionCheck": False,
        "defaultLanguage": "en",
        "width": "100%",
        "height": 420,
        "extraPlugins": "divarea,widget",
        "removePlugins": ",".join(REMOVED_PLUGINS),
        "toolbar": [
            ["Format"],
            ["Bold", "Italic", "Subscript", "Superscript", "RemoveFormat"],
            ["NumberedList", "BulletedList", "Blockquote"],
            ["Link", "Unlink"],
            ["LibraryPicture", "Table", "HorizontalRule"],
            ["PasteText", "Undo", "Redo"],
        ],
        "format_tags": "p;h2;h3;h4",
        "allowedContent": ckeditor_allowed_content(),
        "stylesSet": False,
        "linkShowAdvancedTab": False,
        "linkShowTargetTab": False,
        "entities": False,
        # What the page's own script made of it (pasting.js) is kept as far as the site shows it.
        "pasteFilter": ckeditor_allowed_content(),
    }
