"""People at the pages, in Debian's Chromium, on a station whose server and controllers really run.

An operator on a phone, two officers at laptops, an administrator. Each step is seen on the page or on the
loudspeaker; the first that is not ends the journey with a sentence. `--pictures DIR` keeps a picture of every page.
"""

import argparse
import base64
import hashlib
import hmac
import os
import pathlib
import struct
import sys
import tempfile
import time
import unicodedata

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).parent
PASSWORD = "bốn từ rời nhau"
WAIT_S = 20


def browser(width, height):
    options = webdriver.ChromeOptions()
    for flag in ["headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync", "force-prefers-reduced-motion",
                 "disable-background-networking", "disable-component-update", f"window-size={width},{height}",
                 "user-data-dir=" + tempfile.mkdtemp()]:
        options.add_argument("--" + flag)
    # A station certifies itself; whether its certificate is right is proved elsewhere.
    options.set_capability("acceptInsecureCerts", True)
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(60)
    if width < 500:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    return driver


def code_of(secret, now=None):
    """RFC 6238, as the phone of the person computes it."""
    key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
    step = struct.pack(">Q", int((now or time.time()) // 30))
    digest = hmac.new(key, step, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, web, pictures, size):
        self.web, self.pictures = web, pictures
        self.driver = browser(*size)
        self.width = size[0]
        self.secret = None

    def open(self, path):
        self.driver.get(self.web + path)

    def has(self, text, limit=WAIT_S):
        def there(driver):
            return text in driver.find_element(By.TAG_NAME, "body").text
        try:
            # A page that changes under the look is looked at again.
            stale = (NoSuchElementException, StaleElementReferenceException)
            WebDriverWait(self.driver, limit, 0.2, ignored_exceptions=stale).until(there)
        except TimeoutException:
            body = self.driver.find_element(By.TAG_NAME, "body").text
            sys.exit(f"`{text}` did not appear at {self.driver.current_url} within {limit} s; it says:\n{body}")

    def type(self, name, text):
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def press(self, text):
        buttons = self.driver.find_elements(By.XPATH, f"//main//button[normalize-space()='{text}']")
        if not buttons:
            sys.exit(f"no button `{text}` at {self.driver.current_url}")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", buttons[0])
        buttons[0].click()

    def click(self, selector):
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def looked_at(self, name):
        """No serious finding of axe, nothing wider than the screen, and a picture."""
        axe = (HERE / "axe.min.js").read_text()
        self.driver.execute_script(axe)
        found = self.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(r => arguments[0](r.violations))")
        serious = [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:120]})"
                   for v in found if v["impact"] in ("serious", "critical")]
        if serious:
            sys.exit(f"{name}: " + "; ".join(serious))
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        if wide > self.width:
            sys.exit(f"{name}: {wide} pixels wide on a screen of {self.width}")
        if self.pictures:
            height = self.driver.execute_script("return document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": self.width, "height": min(height, 4000), "scale": 1}
            shot = self.driver.execute_cdp_cmd(
                "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
            path = pathlib.Path(self.pictures) / f"{name}.png"
            path.write_bytes(base64.b64decode(shot["data"]))

    def signs_in(self, invitation, name):
        self.driver.get(invitation)
        self.has("Tên đăng nhập của bạn là")
        self.looked_at("loi-moi")
        self.type("password", PASSWORD)
        self.type("repeat", PASSWORD)
        self.press("Chọn mật khẩu này")
        self.has("Tên đăng nhập")
        self.looked_at("dang-nhap")
        self.type("name", name)
        self.type("password", PASSWORD)
        self.press("Đăng nhập")

    def sets_codes_up(self):
        self.open("/account")
        self.has("Cài đặt mã một lần")
        self.secret = self.driver.find_element(By.CSS_SELECTOR, ".big code").text
        self.looked_at("tai-khoan")
        self.type("code", code_of(self.secret))
        self.press("Xác nhận")
        self.has("Mã một lần đã được cài đặt")


def operator(person, invitation):
    person.signs_in(invitation, "sua")
    person.has("Loa các xã")
    person.has("Xã Mường Tè")
    if "Xã Mù Cả" in person.driver.find_element(By.TAG_NAME, "main").text:
        sys.exit("an operator of one commune sees another one")
    person.looked_at("loa-cac-xa")
    person.open("/areas/muong-te")
    person.has("muong-te-1")
    person.has("tốt")
    person.looked_at("xa")
    person.click("details summary")
    person.type("percent", "35")
    person.press("Đặt")
    person.has("35 %")
    person.open("/areas/mu-ca")
    person.has("Bạn chỉ được làm việc này ở muong-te")
    person.looked_at("tu-choi")
    person.open("/emergencies")
    person.has("Bạn không có nhiệm vụ cần cho việc này")


def emergency(first, second, invitations, passphrase):
    first.signs_in(invitations[0], "lan")
    first.has("Loa các xã")
    first.open("/emergencies")
    first.has("bạn chưa cài đặt")
    first.sets_codes_up()
    second.signs_in(invitations[1], "minh")
    second.has("Loa các xã")
    second.sets_codes_up()

    first.open("/emergencies")
    first.has("Phát khẩn cấp")
    first.looked_at("khan-cap")
    first.click("input[name=bulletin]")
    first.click("input[name=area][value=muong-te]")
    first.type("repeat", "1")
    first.press("Tiếp: kiểm tra")
    first.has("Kiểm tra trước khi phát")
    first.looked_at("khan-cap-kiem-tra")
    first.type("passphrase", "sai mat khau roi")
    first.press("Ký và chuyển người thứ hai")
    first.has("không mở được khoá")
    first.type("passphrase", passphrase)
    first.press("Ký và chuyển người thứ hai")
    first.has("chờ người thứ hai xác nhận")
    first.looked_at("khan-cap-cho")

    # The same officer cannot be the second one.
    first.type("passphrase", passphrase)
    first.press("Xác nhận")
    first.has("cần một cán bộ khác xác nhận")
    first.open(first.driver.current_url.removeprefix(first.web).removesuffix("/confirmation"))

    second.open(first.driver.current_url.removeprefix(first.web))
    second.has("chờ người thứ hai xác nhận")
    second.type("passphrase", passphrase)
    second.press("Xác nhận")
    second.has("1 / 1")
    # Nobody touches the first officer's page any more: it counts by itself.
    first.has("đang phát đi")
    deadline = time.monotonic() + 60
    while True:
        cards = [card.text for card in first.driver.find_elements(By.CSS_SELECTOR, "#count .card")]
        if any("1 / 1" in card and "đã phát xong" in card for card in cards):
            break
        if time.monotonic() > deadline:
            sys.exit(f"the count did not come to its end: {cards}")
        time.sleep(0.2)
    first.looked_at("khan-cap-xong")


def interrupted(person):
    """A session ends while a form is open: nothing typed is lost, in whatever way letters are composed."""
    person.open("/areas/muong-te")
    person.has("muong-te-1")
    person.click("details summary")
    person.type("percent", "45")
    person.driver.delete_cookie("loaban_session")
    person.press("Đặt")
    person.has("những gì bạn vừa gõ vẫn còn")
    person.looked_at("phien-het")
    person.type("name", "sua")
    # The same password with combining marks, as some keyboards compose it.
    person.driver.execute_script(
        "document.getElementsByName('password')[0].value = arguments[0]", unicodedata.normalize("NFD", PASSWORD))
    person.press("Đăng nhập")
    person.has("Gửi lại")
    person.press("Gửi tiếp")
    person.has("45 %")


def english(person):
    person.open("/")
    person.driver.find_element(By.XPATH, "//button[normalize-space()='English']").click()
    person.has("Loudspeakers by commune")
    if person.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") != "en":
        sys.exit("the page does not say that it is English")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--web", required=True)
    parser.add_argument("--operator", required=True, help="invitation")
    parser.add_argument("--officers", required=True, nargs=2, help="invitations")
    parser.add_argument("--passphrase", required=True)
    parser.add_argument("--pictures", default=os.environ.get("LOABAN_PICTURES"))
    given = parser.parse_args()
    people = []

    def person(size):
        people.append(Person(given.web, given.pictures, size))
        return people[-1]

    try:
        phone = person((360, 740))
        operator(phone, given.operator)
        emergency(person((1180, 800)), person((1180, 800)), given.officers, given.passphrase)
        interrupted(phone)
        english(phone)
    finally:
        for one in people:
            one.driver.quit()
    print("every step was seen")


if __name__ == "__main__":
    main()
