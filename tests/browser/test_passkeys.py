"""A passkey in a real browser, with the authenticator that Chromium simulates."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.test_editing import sign_in
from tests.factories import UserFactory


def test_a_passkey_is_added_and_signs_in_without_a_password(page: Page, front_door: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    # Browsers know passkeys by name of host, never by number.
    site = front_door.replace("127.0.0.1", "localhost")
    editor = UserFactory(superuser=True)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, site, editor.username)

    page.goto(f"{site}/admin/account/factors/webauthn/add/")
    page.get_by_label("Password").fill("a long test password")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Recovery Codes").first).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{site}/admin/login/?next=/admin/articles/article/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page).to_have_url(f"{site}/admin/articles/article/")
    assert [line for line in said if not line.startswith("[DOM]")] == []
