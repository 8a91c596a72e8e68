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
import wave

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

HERE = pathlib.Path(__file__).parent
PASSWORD = "bốn từ rời nhau"
WAIT_S = 20


# What a first visit may load: the page, its style, its fonts.
FIRST_VISIT_BYTES_MAX = 150_000
LONG_NAME = "Bản Phiêng Kham Nà Hừ thuộc khu tái định cư Nậm Khao giáp suối Nậm Cấu và đường tuần tra biên giới Mường Tè"


def ask(words):
    """Has the test do something to the station, and waits until it is done."""
    print(words, flush=True)
    answer = sys.stdin.readline().strip()
    if answer != "done":
        sys.exit(f"`{words}` was answered by `{answer}`")


def browser(width, height, microphone):
    options = webdriver.ChromeOptions()
    for flag in ["headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync", "force-prefers-reduced-motion",
                 "disable-background-networking", "disable-component-update", f"window-size={width},{height}",
                 "user-data-dir=" + tempfile.mkdtemp(), *heard(microphone)]:
        options.add_argument("--" + flag)
    # A station certifies itself; whether its certificate is right is proved elsewhere.
    options.set_capability("acceptInsecureCerts", True)
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(60)
    if width < 500:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    return driver


def heard(microphone):
    """The flags of a browser whose microphone hears this file."""
    if not microphone:
        return []
    return ["use-fake-ui-for-media-stream", "use-fake-device-for-media-stream",
            f"use-file-for-fake-audio-capture={microphone}"]


def code_of(secret, now=None):
    """RFC 6238, as the phone of the person computes it."""
    key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
    step = struct.pack(">Q", int((now or time.time()) // 30))
    digest = hmac.new(key, step, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, web, pictures, size, microphone=None):
        self.web, self.pictures = web, pictures
        self.driver = browser(*size, microphone)
        self.width = size[0]
        self.secret = None

    def open(self, path):
        self.driver.get(self.web + path)

    def until(self, there, limit=WAIT_S):
        """A page that changes under the look is looked at again."""
        WebDriverWait(self.driver, limit, 0.2, ignored_exceptions=(WebDriverException,)).until(there)

    def has(self, text, limit=WAIT_S):
        def there(driver):
            return text in driver.find_element(By.TAG_NAME, "body").text
        try:
            self.until(there, limit)
        except TimeoutException:
            body = self.driver.find_element(By.TAG_NAME, "body").text
            sys.exit(f"`{text}` did not appear at {self.driver.current_url} within {limit} s; it says:\n{body}")

    def type(self, name, text):
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def set_volume(self, controller, percent):
        """The part that is being used is not replaced, so what is typed stays."""
        self.click(f"#orders-{controller} summary")
        field = self.driver.find_element(By.CSS_SELECTOR, f"#orders-{controller} [name=percent]")
        field.clear()
        field.send_keys(percent)
        self.click(f"#orders-{controller} button[value=volume]")

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

    def plays(self):
        """Presses play and hears the recording to its end, eight times as fast: the box that says so ticks itself."""
        box = self.driver.find_element(By.CSS_SELECTOR, "[data-heard]")
        if box.is_selected():
            sys.exit(f"{self.driver.current_url}: a recording counts as heard that nobody played")
        player = self.driver.find_element(By.CSS_SELECTOR, "audio[data-asset]")
        self.driver.execute_script("arguments[0].playbackRate = 8; arguments[0].scrollIntoView({block: 'center'})", player)
        player.send_keys(Keys.SPACE)
        self.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "[data-heard]").is_selected())
        self.has("Đã nghe hết bản này ở trang này")

    def would_lose(self):
        """Whether the page asks before it is left."""
        return self.driver.execute_script(
            "const leaving = new Event('beforeunload', {cancelable: true}); dispatchEvent(leaving); return leaving.defaultPrevented")

    def texts(self, selector):
        """What these say, all at one moment of a page that changes."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(one => one.innerText)", selector)

    def wired(self):
        """Bytes that the page and all that it loads took on the wire."""
        return self.driver.execute_script(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".reduce((sum, one) => sum + one.transferSize, 0)")

    def colours(self, scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def serious(self):
        found = self.driver.execute_async_script(
            "axe.run(document, {resultTypes: ['violations']}).then(r => arguments[0](r.violations))")
        return [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:120]})"
                for v in found if v["impact"] in ("serious", "critical")]

    def looked_at(self, name):
        """No serious finding of axe in light or dark, nothing wider than the screen, and pictures."""
        self.driver.execute_script((HERE / "axe.min.js").read_text())
        for scheme, mark in (("light", ""), ("dark", "-toi")):
            self.colours(scheme)
            serious = self.serious()
            if serious:
                sys.exit(f"{name}, {scheme}: " + "; ".join(serious))
            if self.pictures:
                self.picture(name + mark)
        self.colours("light")
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        if wide > self.width:
            sys.exit(f"{name}: {wide} pixels wide on a screen of {self.width}")

    def picture(self, name):
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.width, "height": min(height, 3000), "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        (pathlib.Path(self.pictures) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def signs_in(self, invitation, name):
        self.driver.get(invitation)
        self.has("Tên đăng nhập của bạn là")
        if self.wired() > FIRST_VISIT_BYTES_MAX:
            sys.exit(f"a first visit takes {self.wired()} bytes")
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


def operator_looks(person, invitation):
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
    person.set_volume("muong-te-1", "35")
    person.has("Đã gửi lệnh")
    person.has("35 %")
    person.open("/areas/mu-ca")
    person.has("Bạn chỉ được làm việc này ở muong-te")
    person.looked_at("tu-choi")
    person.open("/emergencies")
    person.has("Bạn không có nhiệm vụ cần cho việc này")


def announcement(person):
    """Records what the microphone hears, for two villages, at once; returns the page's path."""
    person.open("/areas/muong-te")
    person.driver.find_element(By.LINK_TEXT, "Ghi âm thông báo").click()
    person.has("Ghi âm")
    person.looked_at("thong-bao-ghi-am")
    person.press("● Ghi âm")
    person.has("0:05")
    person.driver.find_element(By.CSS_SELECTOR, "[data-stop]").click()
    person.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "[data-take]").is_displayed())
    if not person.would_lose():
        sys.exit("a recording that was not sent is lost without a question")
    person.press("Tiếp: nghe thử")
    person.has("Sau khi chuẩn hoá", 60)
    for player in person.driver.find_elements(By.CSS_SELECTOR, "audio"):
        # A browser that can play it knows how long it is.
        length = person.driver.execute_async_script(
            "const [player, done] = arguments; player.onerror = () => done('error');"
            "player.onloadedmetadata = () => done(player.duration || 'none'); player.preload = 'metadata'; player.load()",
            player)
        if isinstance(length, str):
            sys.exit(f"{player.get_attribute('src')} cannot be played: {length}")
    person.has("LUFS")
    person.looked_at("thong-bao-nghe-thu")
    person.type("title", "Họp bản tối nay")
    person.type("script", unicodedata.normalize("NFD", "Mời bà con họp bản lúc bảy giờ tối nay."))
    for box in person.driver.find_elements(By.NAME, "village"):
        person.driver.execute_script("arguments[0].click()", box)
    # Outside the airtime policy nothing is made, and everything typed stays.
    person.click("input[name=when][value=at]")
    person.driver.execute_script(
        "document.getElementsByName('at')[0].value = arguments[0]", time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 3600)))
    person.press("Gửi để nghe lại và duyệt")
    person.has("Thông báo phải phát trong 7 ngày tới")
    if person.driver.find_element(By.NAME, "title").get_attribute("value") != "Họp bản tối nay":
        sys.exit("what was typed is lost")
    person.click("input[name=when][value=now]")
    person.press("Gửi để nghe lại và duyệt")
    person.has("chờ người khác nghe lại")
    if person.driver.find_elements(By.XPATH, "//button[normalize-space()='Đã nghe, đúng']"):
        sys.exit("whoever recorded it may review it")
    person.looked_at("thong-bao-cho")
    return person.driver.current_url.removeprefix(person.web)


def approval(reviewer, leader, invitations, passphrase, path):
    """Somebody else listens back, a leader signs."""
    reviewer.signs_in(invitations[0], "chi")
    reviewer.has("Thông báo")
    reviewer.open("/announcements")
    reviewer.has("Họp bản tối nay")
    reviewer.looked_at("thong-bao")
    reviewer.open(path)
    reviewer.plays()
    reviewer.press("Đã nghe, đúng")
    reviewer.has("chờ lãnh đạo duyệt")
    leader.signs_in(invitations[1], "dung")
    leader.has("Loa các xã")
    leader.sets_codes_up()
    leader.open(path)
    leader.has("Duyệt và cho phát")
    leader.looked_at("thong-bao-duyet")
    leader.type("passphrase", passphrase)
    # Whoever heard it elsewhere says so, here by keyboard.
    leader.driver.find_element(By.CSS_SELECTOR, "[data-heard]").send_keys(Keys.SPACE)
    leader.press("Duyệt và cho phát")
    leader.has("đã duyệt")
    for one in (reviewer, leader):
        one.driver.delete_all_cookies()


def decision(person):
    person.open("/areas/muong-te")
    person.has("Cần quyết định thứ tự phát")
    person.looked_at("xa-quyet-dinh")
    person.click("input[name=first][value=tin-xa]")
    person.press("Quyết định")
    person.has("Đã quyết định thứ tự phát")


def question(person):
    person.driver.find_element(By.LINK_TEXT, "Ghi câu hỏi").click()
    person.has("Cách hỏi")
    person.type("text", unicodedata.normalize("NFD", "Khi nào làng tôi có thẻ bảo hiểm?"))
    person.type("asker", "Chang A Páo")
    person.click("input[name=channel][value=phone]")
    person.press("Ghi câu hỏi")
    person.has("Chỉ ghi tên người hỏi khi họ đồng ý")
    person.looked_at("cau-hoi")
    person.click("input[name=consent]")
    person.press("Ghi câu hỏi")
    person.has("Đã ghi câu hỏi")


def repair(person):
    """A speaker that nobody set up: somebody takes care, then works at it."""
    person.open("/areas/muong-te")
    person.has(LONG_NAME)
    person.has("chưa được cấp phát")
    first = person.driver.find_element(By.CSS_SELECTOR, "#speakers .card code").text
    if first != "muong-te-3":
        sys.exit(f"the worst speaker is not the first: {first}")
    person.click("#care-muong-te-3 summary")
    person.type("note", "Gọi thợ sáng mai")
    person.press("Tôi lo việc này")
    person.has("sua đang lo: Gọi thợ sáng mai")
    person.click("#care-muong-te-3 summary")
    person.type("reason", "Thay tăng âm")
    person.press("Bắt đầu bảo trì")
    person.has("bảo trì đến")
    if "chưa được cấp phát" in person.driver.find_element(By.ID, "speakers").text:
        sys.exit("a speaker in maintenance raises an alarm")
    person.looked_at("xa-bao-tri")


def aired(person, path, devices):
    """Both villages played it to its end, and it is no silence."""
    person.open(path)
    deadline = time.monotonic() + 60
    while (text := person.driver.find_element(By.ID, "progress").text).count("đã phát trọn") < 2:
        if time.monotonic() > deadline:
            sys.exit(f"the announcement did not sound in both villages:\n{text}")
        time.sleep(0.3)
    person.looked_at("thong-bao-da-phat")
    bulletin = path.rsplit("/", 1)[1]
    for controller in ("muong-te-1", "muong-te-2"):
        found = [one for one in (pathlib.Path(devices) / controller / "played").glob("*.wav") if bulletin in one.name]
        if not found:
            sys.exit(f"{controller} played no {bulletin}")
        with wave.open(str(found[0])) as sound:
            samples = memoryview(sound.readframes(sound.getnframes())).cast("h")
        loud = max(abs(sample) for sample in samples)
        if loud < 3000:
            sys.exit(f"{controller} played silence: at most {loud}")


def restarted(person, other):
    """The server goes away while pages are open, and comes back with two thousand speakers more."""
    for one in (person, other):
        one.open("/areas/muong-te" if one is person else "/areas/lai-chau")
        one.has("trong")
    ask("stop the server")
    person.has("Mất kết nối với máy chủ")
    person.looked_at("mat-ket-noi")
    ask("start the server")
    deadline = time.monotonic() + WAIT_S
    while person.driver.find_element(By.CSS_SELECTOR, ".offline").is_displayed():
        if time.monotonic() > deadline:
            sys.exit("the page did not find the server again")
        time.sleep(0.2)


def thousands(person):
    began = time.monotonic()
    person.open("/areas/xa-lon")
    person.has("Trang 1 / 50")
    took, bytes_ = time.monotonic() - began, person.wired()
    print(f"2,000 speakers: {bytes_} bytes, {took:.2f} s until it was read", flush=True)
    if bytes_ > FIRST_VISIT_BYTES_MAX or took > 10:
        sys.exit("the page of a large area is too heavy")
    person.looked_at("xa-lon")
    person.open("/areas/xa-lon?page=50")
    person.has("Trang 50 / 50")


def officers_arrive(first, second, invitations):
    first.signs_in(invitations[0], "lan")
    first.has("Loa các xã")
    first.open("/emergencies")
    first.has("bạn chưa cài đặt")
    first.sets_codes_up()
    second.signs_in(invitations[1], "minh")
    second.has("Loa các xã")
    second.sets_codes_up()


def emergency(first, second, passphrase):
    first.open("/emergencies")
    first.has("Phát khẩn cấp")
    first.looked_at("khan-cap")
    first.click("input[name=bulletin]")
    first.click("input[name=area][value=mu-ca]")
    first.click("#villages summary")
    first.click("input[name=area][value=ban-hai]")
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
    second.has("2 / 2")
    # Nobody touches the first officer's page any more: it counts by itself, and asks for nothing.
    first.has("đang phát đi")
    if first.driver.find_elements(By.ID, "confirm"):
        sys.exit("what was raised still asks to be confirmed")
    # Who has not played it to its end yet is named.
    first.has("mu-ca-1")


def completed(first):
    deadline = time.monotonic() + 60
    while True:
        cards = first.texts("#count .card")
        if any("2 / 2" in card and "đã phát xong" in card for card in cards):
            break
        if time.monotonic() > deadline:
            sys.exit(f"the count did not come to its end: {cards}")
        time.sleep(0.2)
    first.looked_at("khan-cap-xong")


def interrupted(person):
    """A session ends while a form is open: nothing typed is lost, in whatever way letters are composed."""
    person.open("/areas/muong-te")
    person.has("muong-te-1")
    person.driver.delete_cookie("__Host-loaban_session")
    person.set_volume("muong-te-1", "45")
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
    parser.add_argument("--invitations", required=True, nargs=5, help="of sua, chi, dung, lan, minh")
    parser.add_argument("--passphrase", required=True)
    parser.add_argument("--microphone", required=True, help="what the telephone hears")
    parser.add_argument("--devices", required=True, help="the folders of the controllers")
    parser.add_argument("--pictures", default=os.environ.get("LOABAN_PICTURES"))
    given = parser.parse_args()
    people = []

    def person(*about):
        people.append(Person(given.web, given.pictures, *about))
        return people[-1]

    steps = time.monotonic()

    def step(name, done):
        nonlocal steps
        now = time.monotonic()
        print(f"{name}: {now - steps:.1f} s", flush=True)
        steps = now
        return done

    try:
        phone = person((360, 740), given.microphone)
        operator, reviewer, leader, *officers = given.invitations
        step("operator", operator_looks(phone, operator))
        path = step("announcement", announcement(phone))
        first, second = person((1180, 800)), person((1180, 800))
        step("approval", approval(first, second, (reviewer, leader), given.passphrase, path))
        step("decision", decision(phone))
        step("question", question(phone))
        step("repair", repair(phone))
        step("officers", officers_arrive(first, second, officers))
        step("aired", aired(phone, path, given.devices))
        step("emergency", emergency(first, second, given.passphrase))
        # While it sounds, somebody else's work goes on.
        step("interrupted", interrupted(phone))
        step("completed", completed(first))
        step("restarted", restarted(phone, first))
        step("thousands", thousands(first))
        step("english", english(phone))
    finally:
        for one in people:
            one.driver.quit()
    print("every step was seen")


if __name__ == "__main__":
    main()
