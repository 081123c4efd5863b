from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.canonical import NotAnAddress, address_key, canonical_url, registrable_domain, same_site

SPELLINGS = [
    # scheme, host, port
    ("https://news.example/a", "https://news.example/a"),
    ("http://news.example/a", "https://news.example/a"),
    ("HTTPS://News.Example/A", "https://news.example/A"),
    ("https://news.example:443/a", "https://news.example/a"),
    ("http://news.example:80/a", "https://news.example/a"),
    ("https://news.example:/a", "https://news.example/a"),
    ("https://news.example:8443/a", "https://news.example:8443/a"),
    ("http://news.example:443/a", "https://news.example/a"),
    ("https://news.example./a", "https://news.example/a"),
    ("https://new%73.example/a", "https://news.example/a"),
    ("https://www.news.com/a", "https://news.com/a"),
    ("https://www.news.co.uk/a", "https://news.co.uk/a"),
    ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    ("https://BÜCHER.example/a", "https://xn--bcher-kva.example/a"),
    ("https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a"),
    ("https://новини.укр/a", "https://xn--b1amarcd.xn--j1amh/a"),
    ("https://新闻。中国/a", "https://xn--efvy88h.xn--fiqs8s/a"),
    ("https://ｎｅｗｓ.example/a", "https://news.example/a"),
    ("https://192.0.2.7/a", "https://192.0.2.7/a"),
    ("https://[2001:DB8:0:0::1]/a", "https://[2001:db8::1]/a"),
    ("https://[2001:db8::1]:8080/a", "https://[2001:db8::1]:8080/a"),
    (" https://news.example/a\n", "https://news.example/a"),
    ("https:\\\\news.example\\a", "https://news.example/a"),
    ("https://news.com\\@evil.example/", "https://news.com/@evil.example"),
    # path
    ("https://news.example", "https://news.example/"),
    ("https://news.example/", "https://news.example/"),
    ("https://news.example/a/", "https://news.example/a"),
    ("https://news.example//a///b", "https://news.example/a/b"),
    ("https://news.example/a/./b/../c", "https://news.example/a/c"),
    ("https://news.example/../../a", "https://news.example/a"),
    ("https://news.example/a/..", "https://news.example/"),
    ("https://news.example/%7euser", "https://news.example/~user"),
    ("https://news.example/a%2fb", "https://news.example/a%2Fb"),
    ("https://news.example/%41%2e", "https://news.example/A."),
    ("https://news.example/100%", "https://news.example/100%25"),
    ("https://news.example/100%25", "https://news.example/100%25"),
    ("https://news.example/ü", "https://news.example/%C3%BC"),
    ("https://news.example/%c3%bc", "https://news.example/%C3%BC"),
    ("https://news.example/a b", "https://news.example/a%20b"),
    ("https://news.example/a,1.html;x=1", "https://news.example/a,1.html;x=1"),
    ("https://news.example/a;jsessionid=0F1?x=1", "https://news.example/a?x=1"),
    ("https://news.example/Story-One", "https://news.example/Story-One"),
    # fragment
    ("https://news.example/a#top", "https://news.example/a"),
    ("https://news.example/a#", "https://news.example/a"),
    ("https://news.example/#!/story/7", "https://news.example/#!/story/7"),
    ("https://news.example/a#xtor=RSS-1", "https://news.example/a"),
    # what counts visits goes
    ("https://news.example/a?utm_source=rss&utm_medium=feed", "https://news.example/a"),
    ("https://news.example/a?UTM_Source=rss", "https://news.example/a"),
    ("https://news.example/a?utm%5Fsource=rss", "https://news.example/a"),
    ("https://news.example/a?fbclid=1&gclid=2&msclkid=3", "https://news.example/a"),
    ("https://news.example/a?mc_cid=1&mc_eid=2", "https://news.example/a"),
    ("https://news.example/a?at_medium=RSS&at_campaign=KARANGA", "https://news.example/a"),
    ("https://news.example/a?ns_mchannel=rss&ns_source=x", "https://news.example/a"),
    ("https://news.example/a?ito=1490", "https://news.example/a"),
    ("https://news.example/a?CMP=share_btn", "https://news.example/a"),
    ("https://news.example/a?xtor=RSS-16&ref_src=tw", "https://news.example/a"),
    ("https://news.example/a?x=1&utm_source=rss&y=2", "https://news.example/a?x=1&y=2"),
    ("https://news.example/a?", "https://news.example/a"),
    ("https://news.example/a?&&x=1&", "https://news.example/a?x=1"),
    # what chooses the page stays
    ("https://news.example/?p=12", "https://news.example/?p=12"),
    ("https://news.example/?id=12&page=2", "https://news.example/?id=12&page=2"),
    ("https://news.example/a?page=2&id=1", "https://news.example/a?page=2&id=1"),
    ("https://news.example/a?b=2&a=1", "https://news.example/a?b=2&a=1"),
    ("https://news.example/a?q=%e4%b8%ad", "https://news.example/a?q=%E4%B8%AD"),
    ("https://news.example/a?q=a+b", "https://news.example/a?q=a+b"),
    ("https://news.example/a?story", "https://news.example/a?story"),
    ("https://news.example/a?ref=7&source=9&lang=uk", "https://news.example/a?ref=7&source=9&lang=uk"),
    ("https://news.example/a?u=https%3A%2F%2Fb.example", "https://news.example/a?u=https%3A%2F%2Fb.example"),
    # AMP
    ("https://news.example/a/amp", "https://news.example/a"),
    ("https://news.example/a/amp/", "https://news.example/a"),
    ("https://news.example/a/amp.html", "https://news.example/a"),
    ("https://news.example/a.amp", "https://news.example/a"),
    ("https://news.example/a.amp.html", "https://news.example/a.html"),
    ("https://news.example/amp/a", "https://news.example/a"),
    ("https://news.example/a?amp=1", "https://news.example/a"),
    ("https://news.example/a?amp", "https://news.example/a"),
    ("https://news.example/a?outputType=amp", "https://news.example/a"),
    ("https://news.example/a?outputType=print", "https://news.example/a?outputType=print"),
    ("https://amp.news.com/a", "https://news.com/a"),
    ("https://news.example/amplifier", "https://news.example/amplifier"),
    ("https://news.example/amp", "https://news.example/amp"),
    ("https://news.example/stamp", "https://news.example/stamp"),
    ("https://news-com.cdn.ampproject.org/c/s/news.com/a/amp", "https://news.com/a"),
    ("https://news-com.cdn.ampproject.org/v/s/www.news.com/a?amp_js_v=0.1&usqp=mq", "https://news.com/a"),
    ("https://cdn.ampproject.org/c/news.com/a.html", "https://news.com/a.html"),
    ("https://cdn.ampproject.org/amp/c/s/b.com", "https://b.com/"),
    ("https://www.google.com/amp/s/www.news.com/a.amp", "https://news.com/a"),
    # other screens
    ("https://m.news.com/a", "https://news.com/a"),
    ("https://mobile.news.co.uk/a", "https://news.co.uk/a"),
    ("https://www.m.news.com/a", "https://news.com/a"),
    ("https://m.com/a", "https://m.com/a"),
    ("https://www.co.uk/a", "https://www.co.uk/a"),
    ("https://mobile.github.io/a", "https://mobile.github.io/a"),
    ("https://media.news.com/a", "https://media.news.com/a"),
    # pages that only lead on
    ("https://www.google.com/url?rct=j&url=https://news.com/a%3Fid%3D1&ct=ga", "https://news.com/a?id=1"),
    ("https://news.google.com/news/url?sa=t&url=http://news.com/a", "https://news.com/a"),
    ("https://www.google.de/url?q=https://news.com/a", "https://news.com/a"),
    ("https://l.facebook.com/l.php?u=https%3A%2F%2Fnews.com%2Fa%3Ffbclid%3D1&h=x", "https://news.com/a"),
    ("https://lm.facebook.com/l.php?u=https%3A%2F%2Fm.news.com%2Fa", "https://news.com/a"),
    ("https://out.reddit.com/t3_x?url=https%3A%2F%2Fnews.com%2Fa", "https://news.com/a"),
    ("https://vk.com/away.php?to=https%3A%2F%2Fnews.com%2Fa", "https://news.com/a"),
    (
        "https://www.google.com/url?q=https://l.facebook.com/l.php?u%3Dhttps%253A%252F%252Fnews.com%252Fa",
        "https://news.com/a",
    ),
    ("https://www.google.com/url?q=javascript:alert(1)", "https://google.com/url?q=javascript:alert(1)"),
    ("https://l.facebook.com/l.php", "https://l.facebook.com/l.php"),
    ("http://feedproxy.google.com/~r/news/~3/abc/", "https://feedproxy.google.com/~r/news/~3/abc"),
    ("https://news.google.com/rss/articles/CBMiX?oc=5", "https://news.google.com/rss/articles/CBMiX?oc=5"),
]

NOT_ADDRESSES = [
    ("", "empty"),
    ("   ", "empty"),
    ("news.example/a", "http://"),
    ("/a", "http://"),
    ("//news.example/a", "http://"),
    ("ftp://news.example/a", "http://"),
    ("javascript:alert(1)", "http://"),
    ("data:text/html,x", "http://"),
    ("file:///etc/passwd", "http://"),
    ("mailto:a@news.example", "http://"),
    ("urn:uuid:1", "http://"),
    ("https:", "no host"),
    ("https://", "no host"),
    ("https:///a", "no host"),
    ("https:news.example/a", "no host"),
    ("https://?x=1", "no host"),
    ("https://:80/", "no host"),
    ("https://./", "no host"),
    ("https://editor@news.example/", "user name"),
    ("https://editor:secret@news.example/", "user name"),
    ("https://news.com@evil.example/", "user name"),
    ("https://[::1/a", "host or port"),
    ("https://[zz]/a", "IPv6"),
    ("https://[fe80::1%25eth0]/", "network card"),
    ("https://[::1]evil/", "bracket"),
    ("https://news.example:99999/", "host or port"),
    ("https://news.example:x/", "host or port"),
    ("https://news.example/a\r\nSet-Cookie: x", "line break"),
    ("https://news.example/\x00", "line break"),
    ("https://news\n.example/", "line break"),
    ("https://news example/", "no host name has"),
    ("https://news..example/", "no host name has"),
    ("https://<news>/", "no host name has"),
    ("https://%00/", "no host name has"),
    ("https://news%2Fevil/", "no host name has"),
    ("https://\u2488com/", None),
    ("https://" + "a" * 64 + "ü.example/", "ASCII"),
    ("https://" + "a." * 130 + "example/", "too long"),
    ("https://news.example/" + "a" * 2_000, "longer"),
    ("https://news.example/\ud800", "half a character"),
]


@pytest.mark.parametrize(("url", "expected"), SPELLINGS)
def test_an_address_has_one_spelling(url, expected):
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize(("url", "words"), NOT_ADDRESSES)
def test_what_is_no_web_address_is_refused_in_words(url, words):
    with pytest.raises(NotAnAddress, match=words):
        canonical_url(url)


def test_redirectors_that_point_at_each_other_come_to_an_end():
    url = "https://news.example/a"
    for _ in range(8):
        url = "https://l.facebook.com/l.php?u=" + url.replace("%", "%25").replace(":", "%3A").replace(
            "?", "%3F"
        )

    assert canonical_url(url).startswith("https://")


def test_the_key_is_the_hash_of_the_one_spelling():
    assert (
        address_key("http://www.news.com/a/?utm_source=x")
        == hashlib.sha256(b"https://news.com/a").hexdigest()
    )
    assert address_key("https://news.com/a") != address_key("https://news.com/b")


ADDRESSES = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(
        [
            "news.com",
            "m.news.co.uk",
            "www.amp.a.org",
            "bücher.example",
            "cdn.ampproject.org",
            "www.google.com",
        ]
    ),
    st.lists(
        st.sampled_from(
            ["/amp", "/a", "/..", "/.", "//", ".amp", ".html", "/c/s/b.com", "/%7e", "/é", ";sid=1", "/url"]
        )
    ).map("".join),
    st.lists(
        st.sampled_from(
            ["?", "&", "utm_x=1", "p=1", "url=https://x.org/", "amp=1", "%zz", "#!", "#", "%2525", "=", "+"]
        )
    ).map("".join),
)


@settings(max_examples=500, deadline=None)
@given(ADDRESSES)
def test_the_one_spelling_is_its_own_spelling(url):
    try:
        spelled = canonical_url(url)
    except NotAnAddress:
        return
    assert canonical_url(spelled) == spelled
    assert spelled.isascii()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60).map("https://".__add__) | st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text):
    with contextlib.suppress(NotAnAddress):
        assert canonical_url(text).startswith("https://")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.news.com", "news.com"),
        ("a.b.news.co.uk", "news.co.uk"),
        ("News.COM.", "news.com"),
        ("someone.github.io", "someone.github.io"),
        ("someone.blogspot.com", "someone.blogspot.com"),
        ("www.someone.wordpress.com", "someone.wordpress.com"),
        ("wordpress.com", "wordpress.com"),
        ("github.io", "github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("news.example", "news.example"),
        ("a.news.example", "news.example"),
    ],
)
def test_the_registered_part_of_a_host_is_known_from_the_bundled_list(host, expected):
    assert registrable_domain(host) == expected


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.news.com/a", "http://blog.news.com/b", True),
        ("https://news.com/", "https://news.org/", False),
        ("https://one.github.io/", "https://two.github.io/", False),
        ("https://news.com.evil.org/", "https://news.com/", False),
        ("https://192.0.2.1/", "https://192.0.2.1/x", True),
        ("https://192.0.2.1/", "https://192.0.2.2/", False),
        ("nothing", "nothing", False),
        ("", "https://news.com/", False),
    ],
)
def test_two_addresses_are_on_one_site_when_one_owner_registered_both(a, b, same):
    assert same_site(a, b) is same
    assert same_site(b, a) is same
