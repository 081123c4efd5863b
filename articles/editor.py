"""The body editor: CKEditor 4 cut down to what the sanitiser allows (docs/decisions/editor.md)."""

from __future__ import annotations

REMOVED_PLUGINS = (
    "about", "adobeair", "ajax", "autoembed", "autogrow", "bbcode", "bidi", "codesnippet",
    "codesnippetgeshi", "colorbutton", "colordialog", "copyformatting", "devtools", "dialogadvtab",
    "div", "docprops", "elementspath", "embed", "embedbase", "embedsemantic", "exportpdf",
    "filebrowser", "find", "flash", "font", "forms", "iframe", "iframedialog", "image", "image2",
    "indentblock", "justify", "language", "liststyle", "magicline", "mathjax", "maximize", "newpage",
    "pagebreak", "pastefromgdocs", "pastefromlibreoffice", "pastefromword", "placeholder", "preview",
    "print", "save", "scayt", "sharedspace", "showblocks", "smiley", "sourcearea", "sourcedialog",
    "stylescombo", "stylesheetparser", "tableresize", "tableselection", "tabletools", "templates",
    "uicolor", "uploadimage", "uploadwidget", "wsc", "wysiwygarea", "contextmenu",
)  # fmt: skip
