# ruff: noqa: E501
"""Feed documents in the shapes outlets publish them, with texts and outlets of our own invention."""

from __future__ import annotations

RSS_2 = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"
 xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule">
<channel>
<title>The Harbour Post</title><link>https://harbour.example/</link><description>News from the quays</description>
<language>en-GB</language><copyright>© The Harbour Post</copyright><generator>Quayside 3</generator>
<managingEditor>desk@harbour.example (Ines Cole)</managingEditor>
<lastBuildDate>Mon, 02 Mar 2026 09:00:00 GMT</lastBuildDate><ttl>45</ttl>
<skipHours><hour>1</hour><hour>24</hour><hour>77</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>
<atom:link rel="self" href="https://harbour.example/rss"/><atom:link rel="hub" href="https://hub.example/"/>
<image><url>https://harbour.example/logo.png</url><title>The Harbour Post</title></image>
<item>
 <title>Ferry &amp;amp; pilot boat collide &lt;em&gt;off&lt;/em&gt; Skerry Point</title>
 <link>https://harbour.example/go?u=1</link>
 <feedburner:origLink>https://harbour.example/2026/ferry</feedburner:origLink>
 <guid isPermaLink="false">hp-1001</guid>
 <pubDate>Mon, 02 Mar 2026 08:30:00 +0100</pubDate>
 <author>rosa@harbour.example (Rosa Lind)</author>
 <dc:creator>Tom Oyelaran</dc:creator><dc:creator>Mei Tan</dc:creator><dc:contributor>Uwe Brandt</dc:contributor>
 <category domain="https://harbour.example/desks">Shipping</category><category>Accidents</category>
 <category>accidents</category>
 <description>Nobody was hurt when two boats met in fog.</description>
 <content:encoded><![CDATA[<p>Nobody was hurt &mdash; the crews said.</p><p>A second paragraph.</p>]]></content:encoded>
 <source url="https://wire.example/rss">Coast Wire</source>
 <dc:rights>Syndication with credit</dc:rights>
 <creativeCommons:license>https://creativecommons.org/licenses/by/4.0/</creativeCommons:license>
 <enclosure url="https://harbour.example/report.mp3" type="audio/mpeg" length="4711"/>
 <media:group>
  <media:content url="https://img.harbour.example/small.jpg" medium="image" width="320" height="200"/>
  <media:content url="https://img.harbour.example/large.jpg" medium="image" width="1280" height="800">
   <media:credit role="photographer" scheme="urn:ebu">Photograph: Ola Venn</media:credit>
   <media:description>The ferry <![CDATA[<i>Kittiwake</i>]]> in dock</media:description>
   <media:copyright url="https://img.harbour.example/terms">Harbour Pictures</media:copyright>
  </media:content>
 </media:group>
</item>
<item><title>Second</title><guid>https://harbour.example/2026/second</guid><dc:date>2026-03-01T10:00:00Z</dc:date>
<description>&lt;p&gt;Short &lt;img src="/pixel.gif" width="1"&gt; &lt;img src="/pier.jpg" alt="The pier"&gt;&lt;/p&gt;</description></item>
</channel></rss>
""".encode()

RSS_091 = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Le Phare</title><link>http://phare.example/</link><description>La c\xf4te</description>
<language>fr</language>
<item><title>La temp\xeate s&eacute;vit</title><link>http://phare.example/tempete</link><description>Vents &agrave; 120 km/h</description></item>
</channel></rss>"""

RSS_090 = b"""<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">
<channel><title>Old Tide</title><link>http://tide.example/</link><description>Since 1999</description></channel>
<item><title>Low water</title><link>http://tide.example/low</link></item>
<item><title>High water</title><link>http://tide.example/high</link></item>
</rdf:RDF>"""

RSS_092 = b"""<rss version="0.92"><channel><title>Drift</title><link>http://drift.example/</link><description>Notes</description>
<item><description>An item with a text and nothing else.</description><category domain="drift">notes</category></item>
<item><title>Linked</title><link>http://drift.example/1</link><source url="http://other.example/feed">Other</source>
<enclosure url="http://drift.example/a.jpg" type="image/jpeg" length="9"/></item></channel></rss>"""

RSS_1 = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cc="http://web.resource.org/cc/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel rdf:about="https://akten.example/"><title>Aktenlage</title><link>https://akten.example/</link>
<description>Berichte aus dem Rathaus</description><dc:language>de</dc:language><dc:rights>Verlag Aktenlage</dc:rights>
<items><rdf:Seq><rdf:li resource="https://akten.example/1"/></rdf:Seq></items></channel>
<item rdf:about="https://akten.example/1"><title>Der Rat hat getagt</title><link>https://akten.example/1</link>
<dc:creator>Jörg Öztürk</dc:creator><dc:contributor>Änne Groß</dc:contributor><dc:date>2026-02-01T18:00:00+01:00</dc:date>
<dc:subject>Kommunales</dc:subject><dc:subject>Haushalt</dc:subject><description>Drei Stunden, ein Beschluss.</description>
<cc:license rdf:resource="https://creativecommons.org/licenses/by-sa/4.0/"/></item>
</rdf:RDF>""".encode()

ATOM_1 = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es" xml:base="https://faro.example/blog/">
<title type="html">El &amp;quot;Faro&amp;quot;</title><subtitle>Noticias &lt;locales&gt;</subtitle><id>tag:faro.example,2026:feed</id>
<updated>2026-03-01T12:00:00Z</updated><link rel="self" href="atom.xml"/><link href="/"/>
<link rel="hub" href="https://hub.example/"/><author><name>Redacción</name></author><rights>© El Faro</rights>
<entry>
 <title>Dos &lt; tres</title><id>tag:faro.example,2026:1</id>
 <link rel="enclosure" href="audio.mp3" type="audio/mpeg" length="12"/>
 <link rel="alternate" type="application/json" href="1.json"/><link rel="alternate" type="text/html" href="2026/uno"/>
 <link rel="license" href="https://creativecommons.org/licenses/by-nd/4.0/"/>
 <published>2026-02-28T23:30:00-03:00</published><updated>2026-03-01T08:00:00Z</updated>
 <author><name>Lucía Paz</name><email>lucia@faro.example</email><uri>https://faro.example/lucia</uri></author>
 <author><name>Iván Sol</name></author><contributor><name>Nora Vega</name></contributor>
 <category term="puerto" scheme="https://faro.example/temas" label="El puerto"/>
 <summary type="text">Resumen &amp; más</summary>
 <content type="xhtml" xml:base="fotos/"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un <b>texto</b> &amp; su <img src="a.jpg" alt="Muelle"/></p></div></content>
 <source><id>urn:x</id><title>Agencia Sur</title><link href="https://sur.example/"/><author><name>No Soy</name></author></source>
</entry>
<entry xml:lang="en"><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>second</em> one</div></title>
<id>https://faro.example/blog/dos</id><updated>2026-03-01T09:00:00Z</updated>
<content type="html">&lt;p&gt;Body&lt;/p&gt;</content></entry>
</feed>""".encode()

ATOM_03 = b"""<?xml version="1.0" encoding="utf-8"?>
<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Old Atom</title><link rel="alternate" type="text/html" href="http://old.example/"/>
<tagline>Early days</tagline><modified>2004-06-01T10:00:00Z</modified>
<entry><title mode="escaped" type="text/html">Rock &amp;amp; Roll</title><link rel="alternate" type="text/html" href="http://old.example/1"/>
<id>tag:old.example,2004:1</id><issued>2004-05-31T10:00:00+02:00</issued><modified>2004-06-01T10:00:00Z</modified>
<author><name>Pat Old</name></author><content type="text/html" mode="escaped">&lt;p&gt;Hello&lt;/p&gt;</content></entry></feed>"""

ATOM_ENTRY = b"""<entry xmlns="http://www.w3.org/2005/Atom"><title>Alone</title><id>urn:1</id>
<link href="https://alone.example/1"/><updated>2026-01-01T00:00:00Z</updated></entry>"""

JSON_11 = """{"version": "https://jsonfeed.org/version/1.1", "title": "Tagesblick", "home_page_url": "https://blick.example/",
"feed_url": "https://blick.example/feed.json", "language": "de-AT", "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
"items": [{"id": 7, "url": "/sieben", "title": "Sieben \\ud800Gründe\\u0000", "content_html": "<p>Darum</p>", "summary": "A < B",
"date_published": "2026-02-03T04:05:06+01:00", "date_modified": "2026-02-04T04:05:06Z", "image": "/bild.jpg",
"authors": [{"name": "Anna Berg", "url": "https://blick.example/anna"}, {"name": "Emil Tal"}], "tags": ["Wien", "Wien", 3],
"attachments": [{"url": "https://blick.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}]},
{"id": "https://blick.example/acht", "content_text": "Eins & zwei\\n\\ndrei", "author": {"name": "Old Style"}}, "broken", null]}""".encode()

PODCAST = b"""<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>
<title>Night Boat</title><link>https://boat.example/</link><itunes:author>Boat Media</itunes:author><itunes:summary>Talk</itunes:summary>
<itunes:image href="https://boat.example/cover.jpg"/><itunes:new-feed-url>https://boat.example/new.rss</itunes:new-feed-url>
<itunes:category text="News"><itunes:category text="Politics"/></itunes:category>
<item><title>Episode 1</title><itunes:author>Vera Holm</itunes:author><itunes:summary>On fog.</itunes:summary>
<enclosure url="https://boat.example/1.mp3" type="audio/mpeg" length="100"/><guid isPermaLink="false">ep1</guid>
<itunes:keywords>fog, sea</itunes:keywords><itunes:image href="https://boat.example/1.jpg"/>
<link>https://boat.example/1</link><pubDate>Tue, 3 Feb 2026 10:00:00 EST</pubDate></item></channel></rss>"""

SOUP = b"""

<!-- printed by a template --><?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Soup & Bread</title><link>https://soup.example/?a=1&b=2</link>
<description><p>Unclosed <br> markup</description>
<item><title>Caf&eacute; &amp; bar &rsquo;n&rsquo; grill</title><link>https://soup.example/1?x=1&y=2</link>
<description><p>Line<br>break & <b>bold</p></description><dc:creator>Jo Stew</dc:creator><pubDate>3 feb 2026 10:00 GMT</pubDate>
<guid>https://soup.example/1</guid></item>
<item><title>Bad \x01 \xe9 bytes &#x0; and &#xD800;</title><link>https://soup.example/2</link><guid>2</guid>
<description><![CDATA[Inside &eacute; <br> ]] > ]]></description></item>
</channel></rss>
trailing"""

CUT_SHORT = RSS_2[: RSS_2.index(b"<item><title>Second")]

RELATIVE = b"""<rss version="2.0"><channel><title>Near</title><link>https://near.example/news/</link>
<item><title>Here</title><link>/a/b</link><description>x</description></item>
<item xml:base="https://far.example/x/"><title>There</title><link>c</link></item>
<item><title>Script</title><link>javascript:alert(1)</link><guid isPermaLink="false">s</guid></item></channel></rss>"""

UTF16 = RSS_1.decode().replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16")
UTF8_CALLED_UTF16 = RSS_1.replace(b'encoding="utf-8"', b'encoding="utf-16"')
UTF8_CALLED_LATIN1 = RSS_1.replace(b'encoding="utf-8"', b'encoding="iso-8859-1"')
WINDOWS = (
    "<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><title>Quotes</title>"
    "<link>https://q.example/</link><item><title>“Smart” – 5 €</title><link>https://q.example/1</link>"
    "<author>Zoë Ø</author></item></channel></rss>"
).encode("cp1252")
KOI8 = (
    "<?xml version='1.0' encoding='koi8-r'?><rss version='2.0'><channel><title>Берег</title><link>https://b.example/"
    "</link><item><title>Новости порта</title><link>https://b.example/1</link><author>Анна Реч</author>"
    "<pubDate>3 февраля 2026 10:00 MSK</pubDate></item></channel></rss>"
).encode("koi8-r")
SHIFT_JIS = (
    "<?xml version='1.0' encoding='Shift_JIS'?><rss version='2.0'><channel><title>港の新聞</title><link>https://m.example/"
    "</link><item><title>朝の便り</title><link>https://m.example/1</link><author>山田 花子</author></item></channel></rss>"
).encode("shift_jis")

WELL_FORMED = {
    "rss 2.0": RSS_2,
    "rss 0.91 with names": RSS_091,
    "rss 0.90": RSS_090,
    "rss 0.92": RSS_092,
    "rss 1.0": RSS_1,
    "atom 1.0": ATOM_1,
    "atom 0.3": ATOM_03,
    "podcast": PODCAST,
    "utf-16": UTF16,
    "windows-1252": WINDOWS,
    "koi8-r": KOI8,
    "shift_jis": SHIFT_JIS,
}
ILL_FORMED = {
    "soup": SOUP,
    "cut short": CUT_SHORT,
    "utf-8 called utf-16": UTF8_CALLED_UTF16,
    "utf-8 called latin-1": UTF8_CALLED_LATIN1,
}
