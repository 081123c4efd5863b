# Varnish in front of Newsroom, with CDN_URL=varnish://host:port. Needs the packages varnish and varnish-modules.
# Keeps only what the site says may be kept, for as long as it says, and drops by key what the site tells it to.
vcl 4.1;

import std;
import xkey;

backend site {
    .host = "127.0.0.1";
    .port = "8000";
}

# Who may say what is dropped: the site's own machines.
acl newsroom {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    if (req.url == "/newsroom-purge") {
        if (req.method != "POST" || !(client.ip ~ newsroom)) {
            return (synth(403));
        }
        # purge, never softpurge: nothing stale is served while something new is fetched.
        set req.http.X-Dropped = xkey.purge(req.http.X-Key-Purge);
        return (synth(200, "Dropped " + req.http.X-Dropped));
    }
    # Health and figures are for the machines inside.
    if (req.url ~ "^/(metrics|readyz)$") {
        return (synth(404));
    }
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization || req.url ~ "^/(admin|removal)/"
        || req.http.Cookie ~ "(^|; ?)(__Host-)?session=") {
        return (pass);
    }
    unset req.http.Cookie;
    return (hash);
}

sub vcl_backend_response {
    # What the site did not allow in so many words is asked for again each time, and never older than allowed.
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (beresp.http.Surrogate-Control ~ "max-age=\d+") {
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, ".*max-age=(\d+).*", "\1s"), 0s);
        unset beresp.http.Surrogate-Control;
        return (deliver);
    }
    unset beresp.http.Surrogate-Control;
    if (beresp.http.Cache-Control ~ "immutable") {
        return (deliver);
    }
    # Several may ask at once for what is kept for nobody.
    set beresp.uncacheable = true;
    set beresp.ttl = 60s;
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.xkey;
    unset resp.http.X-Varnish;
    unset resp.http.Via;
}
