"""The station's newsroom in Debian's Chromium: five versions by three announcers, one returned and mended, all signed.

Two announcers at laptops, one at a telephone, a reviewer and a leader. Each step is seen on the page; what came of it
is looked for in the station afterwards. `--pictures DIR` keeps a picture of every page.
"""

import argparse
import json
import os
import sys
import time
import unicodedata

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from journey import WAIT_S, Person, code_of

TITLE = "Đội mũ bảo hiểm khi đi xe máy"
SCRIPT = "Bà con đi xe máy nhớ đội mũ bảo hiểm, cài quai đúng cách."
TEXTS = {
    "mww": "Cov neej zej zog caij luv thaum yuav tsum ntoo kausmom.",
    "twh": "ꪹꪄꪱ ꪵꪀ꫁ꪉ — lời tiếng Thái Trắng, để thử.",
    "ium": "Lời tiếng Dao, để thử: đội mũ.",
    "hni": "Lời tiếng Hà Nhì, để thử: đội mũ.",
}
# In a test nobody waits for a slow machine's sound for longer.
SOUND_S = 60


class Hand(Person):
    """Somebody whose presses are counted, as a journey's length."""

    def __init__(self, *about):
        super().__init__(*about)
        self.presses, self.fields = 0, 0

    def press(self, text):
        self.presses += 1
        super().press(text)

    def click(self, selector):
        self.presses += 1
        super().click(selector)

    def type(self, name, text):
        self.fields += 1
        super().type(name, text)

    def follow(self, text):
        """A link by its words."""
        self.presses += 1
        found = self.driver.find_elements(By.XPATH, f"//a[normalize-space()='{text}']")
        if not found:
            sys.exit(f"no link `{text}` at {self.driver.current_url}")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found[0])
        found[0].click()

    def follow_folded(self, summary, text):
        """A link inside what is folded away."""
        self.presses += 1
        self.driver.find_element(By.XPATH, f"//summary[normalize-space()='{summary}']").click()
        self.follow(text)

    def choose(self, name, value):
        self.fields += 1
        Select(self.driver.find_element(By.NAME, name)).select_by_value(value)

    def fill(self, name, text):
        """All at once, as it is pasted, in letters with combining marks."""
        self.fields += 1
        script = "const f = document.getElementsByName(arguments[0])[0]; f.value = arguments[1]"
        self.driver.execute_script(script, name, unicodedata.normalize("NFD", text))

    def file(self, path):
        self.presses += 1
        self.driver.find_element(By.CSS_SELECTOR, "[data-recorder] input[type=file]").send_keys(path)

    def sends(self):
        self.press("Gửi bản ghi")
        self.has("Sau khi chuẩn hoá", SOUND_S)

    def plays(self):
        self.presses += 1
        super().plays()

    def on(self, selector, words, limit=WAIT_S):
        self.until(lambda driver: words in driver.find_element(By.CSS_SELECTOR, selector).text, limit)

    def fits(self, name=None):
        """Nothing is wider than the screen; a picture of what axe has judged elsewhere."""
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        if wide > self.width:
            sys.exit(f"{self.driver.current_url}: {wide} pixels wide on a screen of {self.width}")
        if name and self.pictures:
            self.picture(name)

    def codes(self):
        self.open("/account")
        self.has("Cài đặt mã một lần")
        self.secret = self.driver.find_element(By.CSS_SELECTOR, ".big code").text
        self.type("code", code_of(self.secret))
        self.press("Xác nhận")
        self.has("Mã một lần đã được cài đặt")

    def leaves(self):
        self.driver.delete_all_cookies()


def arrives(person, invitation, name):
    """Chooses a password and signs in; the pictures of that are another journey's."""
    person.driver.get(invitation)
    person.has("Tên đăng nhập của bạn là")
    for field, words in (("password", "bốn từ rời nhau"), ("repeat", "bốn từ rời nhau")):
        person.type(field, words)
    person.press("Chọn mật khẩu này")
    person.has("Mật khẩu")
    person.until(lambda driver: driver.find_elements(By.NAME, "name"))
    person.type("name", name)
    person.type("password", "bốn từ rời nhau")
    person.press("Đăng nhập")
    person.has("Việc chờ")
    person.presses, person.fields = 0, 0


def drop(person, path):
    """Drops a file on the form, as from a folder beside the browser."""
    holder = person.driver.execute_script(
        "const i = document.createElement('input'); i.type = 'file'; i.id = 'hand'; document.body.append(i); return i")
    holder.send_keys(path)
    person.driver.execute_script(
        "const list = new DataTransfer(); list.items.add(arguments[0].files[0]); arguments[0].remove();"
        "document.querySelector('[data-recorder]').dispatchEvent("
        "new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: list}))", holder)
    person.presses += 1


def new_bulletin(an, sounds):
    """A text is handed in and recorded; what is wrong with a recording is said."""
    an.follow("Bản tin")
    an.follow("+ Bản tin mới")
    an.has("Lời đọc")
    if an.would_lose():
        sys.exit("a form that nobody touched is not left without a question")
    an.fill("title_vi", TITLE)
    an.fill("script", SCRIPT)
    if not an.would_lose():
        sys.exit("a text that was not sent is lost without a question")
    an.fill("issuing_body", "Công an tỉnh")
    an.looked_at("tin-bai-moi")
    # What is missing is told, and what was typed stays.
    an.driver.execute_script("document.querySelectorAll('[required]').forEach(f => f.required = false)")
    an.press("Lưu, rồi ghi âm")
    an.has("Hãy chọn chuyên mục.")
    if not an.would_lose():
        sys.exit("a text that came back is lost without a question")
    an.choose("column", "An toàn giao thông")
    an.press("Lưu, rồi ghi âm")
    an.has("chờ ghi âm")
    drop(an, sounds["silence"])
    an.press("Gửi bản ghi")
    an.has("Bản ghi im lặng; hãy kiểm tra micro", SOUND_S)
    an.looked_at("phien-ban-hong")
    drop(an, sounds["vi"])
    an.sends()
    an.on("#state", "chờ nghe thẩm định")
    an.has("Trước")
    for player in an.driver.find_elements(By.CSS_SELECTOR, "#sound audio"):
        length = an.driver.execute_async_script(
            "const [player, done] = arguments; player.onerror = () => done('error');"
            "player.onloadedmetadata = () => done(player.duration || 'none'); player.preload = 'metadata'; player.load()",
            player)
        if isinstance(length, str):
            sys.exit(f"{player.get_attribute('src')} cannot be played: {length}")
    if len(an.driver.find_elements(By.CSS_SELECTOR, "#sound svg.wave .loudness")) != 2:
        sys.exit("the wave is not drawn before and after")
    if an.driver.find_elements(By.XPATH, "//button[normalize-space()='Đã nghe, đúng']"):
        sys.exit("an announcer may review")
    an.looked_at("phien-ban")
    return an.driver.current_url.removeprefix(an.web).rsplit("/", 1)[0]


def amended(an, path):
    """What a bulletin is, is put right; of two who do it the second is told, and keeps what they typed."""
    an.open(path)
    an.follow_folded("Về bản tin này", "Sửa thông tin")
    an.has("Lĩnh vực pháp luật")
    an.looked_at("tin-bai-sua")
    seen = an.driver.find_element(By.NAME, "seen").get_attribute("value")
    an.fill("document_number", "168/2024/NĐ-CP")
    an.press("Lưu thay đổi")
    an.has("Các phiên bản ngôn ngữ")
    an.open(path + "/amendment")
    an.fill("document_number", "100/2019/NĐ-CP")
    an.driver.execute_script("document.getElementsByName('seen')[0].value = arguments[0]", seen)
    an.press("Lưu thay đổi")
    an.has("Người khác vừa lưu, khác với điều bạn gõ")
    an.has("168/2024/NĐ-CP")
    an.looked_at("tin-bai-sua-trung")
    own = an.driver.find_element(By.NAME, "document_number").get_attribute("value")
    if own != "100/2019/NĐ-CP":
        sys.exit(f"what the second editor typed is lost: {own}")
    an.fill("document_number", "168/2024/NĐ-CP")
    an.press("Lưu thay đổi")
    an.has("Các phiên bản ngôn ngữ")


def from_microphone(an, path):
    """A translation that is spoken into the browser."""
    an.open(path + "/mww")
    an.fill("script", TEXTS["mww"])
    an.press("Lưu lời")
    an.has("chờ ghi âm")
    an.press("● Ghi âm")
    an.has("0:03")
    an.click("[data-stop]")
    an.until(lambda driver: driver.find_element(By.CSS_SELECTOR, "[data-take]").is_displayed())
    if not an.would_lose():
        sys.exit("a recording that was not sent is lost without a question")
    an.sends()
    if an.would_lose():
        sys.exit("what was sent is asked about")


def from_inbox(person, path, sound, language, name):
    """What nobody translated stands in the inbox."""
    person.open("/inbox")
    person.has("Chưa có bản dịch")
    person.click(f"a[href='{path}/{language}?from=inbox']")
    person.has("Lời tiếng Việt")
    person.has(SCRIPT)
    person.fill("script", TEXTS[language])
    person.press("Lưu lời")
    person.has("chờ ghi âm")
    person.file(sound)
    person.sends()
    person.on("#state", "chờ nghe thẩm định")
    if name:
        person.looked_at(name)


def two_at_once(first, second, path, sound):
    """Of two editors the second is told; their text is there, and so is the first one's."""
    second.open(path + "/ium")
    second.fill("script", "Lời của người thứ hai.")
    first.open(path + "/ium")
    first.fill("script", TEXTS["ium"])
    first.press("Lưu lời")
    first.has("chờ ghi âm")
    second.press("Lưu lời")
    second.has("Người khác vừa thay đổi mục này")
    second.has("Lời người khác vừa lưu")
    second.has(unicodedata.normalize("NFC", TEXTS["ium"]))
    own = second.driver.find_element(By.NAME, "script").get_attribute("value")
    if unicodedata.normalize("NFC", own) != "Lời của người thứ hai.":
        sys.exit(f"what the second editor typed is lost: {own}")
    second.looked_at("phien-ban-trung")
    # A recording for a text that has changed since is kept, and put to the text as it is now.
    first.open(path + "/ium")
    second.press("Lưu lời")
    second.has("chờ ghi âm")
    # The page of the first says so by itself, and is opened anew, as nothing was typed there; what was seen
    # before is sent on purpose.
    first.on("textarea[name=script]", "Lời của người thứ hai.")
    first.driver.execute_script(
        "document.querySelector('[data-recorder] [name=seen]').value = '0'.repeat(64)")
    first.file(sound)
    first.press("Gửi bản ghi")
    first.has("Bản ghi của bạn vẫn được giữ")
    first.press("Gắn bản ghi của tôi vào phiên bản mới")
    first.has("Sau khi chuẩn hoá", SOUND_S)
    first.on("#state", "chờ nghe thẩm định")


def hears(reviewer, path, language, verdict):
    reviewer.open("/inbox")
    reviewer.click(f"a[href='{path}/{language}?from=inbox']")
    reviewer.has("Bản ghi")
    if language != "vi":
        reviewer.has(SCRIPT)
    if verdict:
        reviewer.type("comment", verdict)
        reviewer.press("Trả lại")
        reviewer.has("Đã trả lại kèm lời nhắn")
    else:
        reviewer.plays()
        reviewer.press("Đã nghe, đúng")
        reviewer.has("Đã ghi: bạn đã nghe")


def reviewed(reviewer, mender, path, sounds):
    reviewer.open("/inbox")
    reviewer.has("Chờ bạn nghe thẩm định (5)")
    reviewer.looked_at("viec-cho")
    reviewer.open(path + "/twh?from=inbox")
    reviewer.has("Chưa đúng? Điều cần sửa")
    reviewer.looked_at("phien-ban-nghe")
    for language in ("vi", "mww", "ium", "hni"):
        hears(reviewer, path, language, None)
    hears(reviewer, path, "twh", "Đọc chậm lại câu cuối.")
    mender.open("/inbox")
    mender.has("Bị trả lại, cần sửa")
    mender.has("Đọc chậm lại câu cuối.")
    mender.click(f"a[href='{path}/twh?from=inbox']")
    mender.has("Đọc chậm lại câu cuối.")
    mender.looked_at("phien-ban-tra-lai")
    mender.file(sounds["mended"])
    mender.sends()
    mender.on("#state", "chờ nghe thẩm định", SOUND_S)
    hears(reviewer, path, "twh", None)
    reviewer.has("Không còn việc nào chờ bạn.")


def signed(leader, path, passphrase):
    leader.codes()
    leader.presses, leader.fields = 0, 0
    for at, language in enumerate(("vi", "mww", "twh", "ium", "hni")):
        leader.open("/inbox")
        leader.click(f"a[href='{path}/{language}?from=inbox']")
        if at == 0:
            leader.click("[data-heard]")
            leader.type("passphrase", "sai mật khẩu rồi nhé")
            leader.press("Ký duyệt")
            leader.has("không mở được khoá")
            leader.looked_at("phien-ban-duyet")
            if not leader.driver.find_element(By.CSS_SELECTOR, "[data-heard]").is_selected():
                sys.exit("that somebody heard it is lost with a wrong passphrase")
        else:
            leader.plays()
        leader.type("passphrase", passphrase)
        leader.press("Ký duyệt")
        leader.has("Đã ký duyệt")


def looks(person, path):
    """The list with its chips, search without marks, the matrix."""
    person.open("/bulletins?words=doi+mu+bao+hiem")
    person.has("1 bản tin")
    chips = person.driver.find_element(By.CSS_SELECTOR, ".chips").text
    if chips.count("sẵn sàng") != 5:
        sys.exit(f"five versions are not ready: {chips}")
    person.open("/bulletins")
    person.has("3 bản tin")
    person.looked_at("tin-bai")
    person.open(path)
    person.has("Các phiên bản ngôn ngữ")
    person.looked_at("tin-bai-phien-ban")
    person.open("/coverage")
    person.has("Độ phủ ngôn ngữ")
    person.looked_at("do-phu")
    person.open("/coverage?bulletin=" + path.rsplit("/", 1)[1])
    person.has("theo xã")
    person.looked_at("do-phu-xa")


def at_the_telephone(phone, path):
    """Every page of the newsroom on 360 pixels."""
    for page, name in (("/bulletins", "tin-bai-dien-thoai"), ("/inbox", "viec-cho-dien-thoai"), (path, None),
                       ("/contribution", None), ("/coverage", "do-phu-dien-thoai"), ("/questions", None)):
        phone.open(page)
        phone.has("Bản tin")
        phone.fits(name)
    phone.open(path + "/amendment")
    phone.has("loại tin, địa bàn và thời hạn đã ký nên giữ nguyên")
    phone.looked_at("tin-bai-sua-da-duyet")


def answered(leader, announcer, person):
    """A villager's question is answered, and becomes a bulletin."""
    leader.open("/inbox")
    leader.follow("1 câu hỏi của dân chờ bạn trả lời")
    leader.has("Khi nào làng tôi có thẻ bảo hiểm?")
    leader.looked_at("cau-hoi-cho")
    leader.fill("answer", "Thẻ được phát tại trụ sở xã từ ngày mùng một.")
    leader.press("Ghi câu trả lời")
    leader.has("Đã ghi câu trả lời.")
    announcer.open("/questions")
    announcer.follow("Làm bản tin từ câu trả lời")
    announcer.has("Lời đọc (câu hỏi và câu trả lời)")
    announcer.choose("column", "Hỏi đáp pháp luật")
    announcer.type("issuing_body", "UBND xã")
    announcer.press("Lưu, rồi ghi âm")
    announcer.has("chờ ghi âm")
    person.open("/questions")
    person.has("Không có câu hỏi nào đang chờ.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--web", required=True)
    parser.add_argument("--invitations", required=True, nargs=5, help="of an, binh, cuc, chi, dung")
    parser.add_argument("--passphrase", required=True)
    parser.add_argument("--sounds", required=True, type=json.loads, help="files by name, as JSON")
    parser.add_argument("--pictures", default=os.environ.get("LOABAN_PICTURES"))
    given = parser.parse_args()
    sounds, people = given.sounds, []
    steps = time.monotonic()

    def person(size, microphone=None):
        people.append(Hand(given.web, given.pictures, size, microphone))
        return people[-1]

    def step(name):
        nonlocal steps
        now = time.monotonic()
        print(f"{name}: {now - steps:.1f} s", flush=True)
        steps = now

    try:
        an, phone = person((1180, 800), sounds["microphone"]), person((360, 740))
        arrives(an, given.invitations[0], "an")
        arrives(phone, given.invitations[1], "binh")
        step("two announcers")
        path = new_bulletin(an, sounds)
        print(f"new bulletin: {an.presses} presses, {an.fields} fields", flush=True)
        step("new bulletin")
        an.presses, an.fields = 0, 0
        amended(an, path)
        step("amended")
        from_microphone(an, path)
        step("microphone")
        phone.presses, phone.fields = 0, 0
        from_inbox(phone, path, sounds["twh"], "twh", "phien-ban-dien-thoai")
        print(f"a translation: {phone.presses} presses, {phone.fields} fields", flush=True)
        two_at_once(phone, an, path, sounds["ium"])
        step("telephone")
        an.leaves()
        arrives(an, given.invitations[2], "cuc")
        from_inbox(an, path, sounds["hni"], "hni", None)
        step("third announcer")
        an.leaves()
        reviewer = an
        arrives(reviewer, given.invitations[3], "chi")
        reviewed(reviewer, phone, path, sounds)
        print(f"five reviews, one twice: {reviewer.presses} presses", flush=True)
        step("review")
        leader = person((1180, 800))
        arrives(leader, given.invitations[4], "dung")
        signed(leader, path, given.passphrase)
        print(f"five approvals: {leader.presses} presses, {leader.fields} fields", flush=True)
        step("approval")
        looks(leader, path)
        answered(leader, phone, reviewer)
        at_the_telephone(phone, path)
        step("list, matrix, question")
    finally:
        for one in people:
            one.driver.quit()
    print("every step was seen")


if __name__ == "__main__":
    main()
