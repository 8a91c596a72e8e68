"""The inspector and the administrator in Debian's Chromium, on a station whose server and controllers really run.

The inspector finds an airing that a controller played, sees why one village missed it, verifies, takes forms and the log out
and opens them. The administrator adds somebody who then signs in, ends their session, brings a device in from its box, makes a
token for a program, and has somebody who left forgotten.
`--pictures DIR` keeps a picture of every page.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

import openpyxl
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from journey import PASSWORD, WAIT_S, Person


class Clerk(Person):
    """Somebody at a desk who takes files home."""

    def __init__(self, web, pictures, size):
        super().__init__(web, pictures, size)
        self.home = pathlib.Path(tempfile.mkdtemp())
        behaviour = {"behavior": "allow", "downloadPath": str(self.home)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        self.clicks = 0

    def comes_in(self, invitation, name):
        self.driver.get(invitation)
        self.has("Tên đăng nhập của bạn là")
        self.type("password", PASSWORD)
        self.type("repeat", PASSWORD)
        self.press("Chọn mật khẩu này")
        self.has("Tên đăng nhập")
        self.type("name", name)
        self.type("password", PASSWORD)
        self.press("Đăng nhập")

    def press(self, text):
        self.clicks += 1
        super().press(text)

    def follow(self, text):
        """A link by the words that it begins with."""
        self.clicks += 1
        links = self.driver.find_elements(By.XPATH, f"//a[starts-with(normalize-space(), '{text}')]")
        if not links:
            sys.exit(f"no link `{text}` at {self.driver.current_url}")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", links[0])
        links[0].click()

    def takes(self, text, pattern):
        """Follows a link that is a download; the file."""
        self.follow(text)
        deadline = time.monotonic() + WAIT_S
        while not (found := [one for one in self.home.glob(pattern) if one.suffix != ".crdownload"]):
            if time.monotonic() > deadline:
                sys.exit(f"`{text}` brought no {pattern}: {list(self.home.iterdir())}")
            time.sleep(0.1)
        return found[0]

    def text(self, selector="main"):
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def choose(self, name, words):
        self.clicks += 1
        Select(self.driver.find_element(By.NAME, name)).select_by_visible_text(words)

    def counted(self, what):
        """How many clicks and choices it took, for docs/journeys.md."""
        print(f"clicks, {what}: {self.clicks}", flush=True)
        self.clicks = 0


def airing(inspector):
    """Finds what was aired, with its evidence and the proof that the log holds it."""
    inspector.has("Loa các xã")
    inspector.clicks = 0
    inspector.follow("Thanh tra")
    inspector.has("Phát trọn")
    inspector.has("trên số theo lịch")
    chart = inspector.driver.find_element(By.CSS_SELECTOR, "svg.bars").get_attribute("textContent")
    planned = re.search(r"Tỉnh Lai Châu: phát trọn (\d+) / (\d+) theo lịch", chart)
    if not planned or not 1 <= int(planned[1]) < int(planned[2]):
        sys.exit(f"the chart does not tell what was played of what was planned: {chart}")
    row = next(row.text for row in inspector.driver.find_elements(By.CSS_SELECTOR, "table.numbers tbody tr")
               if row.text.startswith("Tỉnh Lai Châu"))
    if f"({planned[1]}/{planned[2]})" not in row:
        sys.exit(f"the table has other numbers than the chart: {row}")
    inspector.looked_at("thanh-tra-so-lieu")
    inspector.follow("Từng lượt phát")
    inspector.has("đã phát trọn")
    inspector.has("Bản Chợ Bến, Xã Mường Tè")
    inspector.looked_at("thanh-tra-luot-phat")
    played = next(row for row in inspector.driver.find_elements(By.CSS_SELECTOR, "tbody tr")
                  if "đã phát trọn" in row.text and "Bản Chợ Bến" in row.text)
    if "đã phát ra tín hiệu" not in played.text:
        sys.exit(f"the evidence is not told: {played.text}")
    inspector.clicks += 1
    played.find_element(By.PARTIAL_LINK_TEXT, "mục").click()
    inspector.has("Đã chứng minh")
    inspector.has("muong-te-1")
    inspector.looked_at("thanh-tra-muc")
    inspector.counted("find an airing and its proof")


def why(inspector):
    inspector.open("/inspector")
    inspector.clicks = 0
    inspector.follow("không phát: giờ yên lặng của thiết bị")
    inspector.has("Bản Suối Mây, Xã Mù Cả")
    if "đã phát trọn" in inspector.text("tbody"):
        sys.exit("the cause shows airings that were played")
    inspector.follow("vì sao?")
    inspector.has("giờ yên lặng đặt tại thiết bị")
    inspector.has("controller.toml")
    if "0 / 1" not in inspector.text():
        sys.exit("one controller was asked about")
    inspector.looked_at("thanh-tra-vi-sao")
    inspector.counted("see why a village missed it")
    # The whole commune's answer comes by the form.
    inspector.follow("Vì sao không nghe?")
    title = inspector.driver.find_elements(By.CSS_SELECTOR, "[name=bulletin] option")[1].text
    inspector.choose("bulletin", title)
    inspector.press("Hỏi")
    inspector.has("bộ thu đã phát trọn")


def verified(inspector):
    inspector.clicks = 0
    inspector.follow("Kiểm chứng")
    inspector.has("Chưa kiểm chứng lần nào")
    kept = inspector.text("pre")
    inspector.press("Kiểm chứng ngay")
    inspector.has("Không có gì bị sửa")
    inspector.has("nguyên vẹn")
    inspector.has("Cơ sở dữ liệu khớp với nhật ký")
    if not inspector.driver.find_elements(By.CSS_SELECTOR, ".qr svg path"):
        sys.exit("the checkpoint has no QR code")
    inspector.looked_at("thanh-tra-kiem-chung")
    inspector.counted("verify now")
    inspector.click("#kept summary")
    inspector.driver.find_element(By.NAME, "older").send_keys(kept)
    inspector.press("Kiểm chứng ngay")
    inspector.has("nối tiếp đúng điểm kiểm chứng cũ")
    inspector.counted("compare with a checkpoint that was kept")
    bundle = inspector.takes("tải gói nhật ký", "nhat-ky-*.zip")
    folder = tempfile.mkdtemp()
    zipfile.ZipFile(bundle).extractall(folder)
    checked = subprocess.run([sys.executable, "verify.py"], cwd=folder, capture_output=True, text=True)
    if checked.returncode != 0:
        sys.exit(f"the bundle does not verify: {checked.stdout}{checked.stderr}")


def forms(inspector):
    inspector.clicks = 0
    inspector.follow("Biểu mẫu")
    inspector.has("BÁO CÁO TỔNG HỢP PHÁT THANH 6 THÁNG")
    inspector.looked_at("thanh-tra-bieu-mau")
    inspector.follow("BÁO CÁO TỔNG HỢP PHÁT THANH 6 THÁNG")
    inspector.has("Thôn, bản được phát")
    shown = [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
             for row in inspector.driver.find_elements(By.CSS_SELECTOR, "tbody tr")]
    inspector.looked_at("thanh-tra-nua-nam")
    printed = inspector.takes("PDF", "half-year-*.pdf")
    inspector.counted("take the half-year form out")
    text = subprocess.run(["pdftotext", "-layout", printed, "-"], capture_output=True, text=True, check=True).stdout
    for words in ("BÁO CÁO TỔNG HỢP PHÁT THANH 6 THÁNG", "Xã Mường Tè", "điểm kiểm chứng"):
        if words not in text:
            sys.exit(f"the printed form lacks `{words}`:\n{text}")
    sheet = openpyxl.load_workbook(inspector.takes("Excel", "half-year-*.xlsx")).active
    cells = [[str(cell.value) for cell in row if cell.value is not None] for row in sheet.iter_rows()]
    for row in shown:
        if not any(row[1] in cells_of and row[3] in cells_of and row[6] in cells_of for cells_of in cells):
            sys.exit(f"the workbook lacks the row {row}: {cells}")
    if "half-year" not in inspector.takes("JSON", "half-year-*.json").read_text():
        sys.exit("the JSON is another form")
    if "Xã Mường Tè" not in inspector.takes("CSV", "half-year-*.csv").read_text("utf-8-sig"):
        sys.exit("the CSV lacks the commune")


def on_a_phone(web, pictures, cookies):
    phone = Clerk(web, pictures, (360, 740))
    try:
        phone.open("/login")
        for cookie in cookies:
            phone.driver.add_cookie({"name": cookie["name"], "value": cookie["value"]})
        for path, name in (("/inspector", "so-lieu"), ("/inspector/airings", "luot-phat"), ("/inspector/entries", "nhat-ky"),
                           ("/inspector/forms/half-year", "nua-nam"), ("/inspector/verification", "kiem-chung")):
            phone.open(path)
            phone.has("Thanh tra")
            phone.looked_at(f"thanh-tra-{name}-360")
        phone.open("/areas/muong-te")
        phone.has("Chương trình")
        broken = phone.driver.execute_script(
            "return [...document.querySelectorAll('#today th')].filter(th => th.scrollWidth > th.clientWidth + 1"
            " || th.getClientRects().length > 1).map(th => th.textContent)")
        lines = phone.driver.execute_script(
            "return [...document.querySelectorAll('#today th')].map(th => {"
            "const range = document.createRange(), word = th.firstChild; range.selectNodeContents(word);"
            "return [th.textContent.split(' ').length, new Set([...range.getClientRects()].map(r => r.top)).size]})")
        if broken or any(count > words for words, count in lines):
            sys.exit(f"a heading breaks inside a word: {broken} {lines}")
    finally:
        phone.driver.quit()


def hired(administrator, other):
    """Somebody new is added, comes in, and has their session ended."""
    administrator.sets_codes_up()
    administrator.clicks = 0
    administrator.follow("Quản trị")
    administrator.has("Ai làm gì ở đâu")
    administrator.looked_at("quan-tri-nguoi-dung")
    administrator.type("name", "Giàng A Của")
    administrator.type("id", "Cua!")
    administrator.driver.execute_script("document.querySelector('section form').noValidate = true")
    administrator.choose("duty1", "cán bộ văn hoá xã (trông loa của xã)")
    Select(administrator.driver.find_element(By.NAME, "area1")).select_by_value("muong-te")
    administrator.press("Thêm người này")
    administrator.has("chữ thường không dấu")
    if administrator.driver.find_element(By.NAME, "name").get_attribute("value") != "Giàng A Của":
        sys.exit("what was typed is lost")
    administrator.type("id", "cua")
    administrator.press("Thêm người này")
    administrator.has("Người mới cần một lời mời")
    administrator.press("Làm lời mời")
    administrator.has("Chỉ hiện lần này")
    administrator.counted("add a person and invite them")
    administrator.looked_at("quan-tri-mot-nguoi")
    other.comes_in(administrator.text(".note.good code"), "cua")
    other.has("Xã Mường Tè")
    administrator.open("/people/cua")
    administrator.has("127.0.0.1")
    administrator.press("Kết thúc phiên này")
    administrator.has("Đã kết thúc phiên")
    other.open("/")
    other.has("Tên đăng nhập")


def device(administrator, devices, program):
    """A device comes in: folder and code, its keys, the fingerprint by telephone."""
    administrator.clicks = 0
    administrator.follow("Quản trị")
    administrator.follow("Bộ thu")
    administrator.has("sin-suoi-ho-1")
    administrator.looked_at("quan-tri-bo-thu")
    administrator.follow("sin-suoi-ho-1")
    administrator.has("chưa cấp phát")
    administrator.choose("profile", "bench")
    administrator.press("Cấp phát")
    administrator.has("Mã dùng một lần")
    administrator.looked_at("quan-tri-mot-bo-thu")
    code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", administrator.text("pre"))[0]
    zipfile.ZipFile(administrator.takes("Tải thư mục", "*.zip")).extractall(devices)
    config = pathlib.Path(devices) / "sin-suoi-ho-1" / "controller.toml"
    asked = subprocess.run([program, "--config", config, "enrol", code], capture_output=True, text=True, check=True)
    fingerprint = asked.stderr.strip().rsplit(": ", 1)[1]
    note = administrator.driver.find_element(By.CSS_SELECTOR, "form[action$=enrolment] [name=note]")
    administrator.driver.execute_script("arguments[0].value = arguments[1]", note, asked.stdout)
    administrator.type("fingerprint", "0000 0000")
    administrator.press("Ghi danh")
    administrator.has("dấu vân tay khác")
    note = administrator.driver.find_element(By.CSS_SELECTOR, "form[action$=enrolment] [name=note]")
    administrator.driver.execute_script("arguments[0].value = arguments[1]", note, asked.stdout)
    administrator.type("fingerprint", fingerprint)
    administrator.press("Ghi danh")
    administrator.has("Đã ghi danh, khoá")
    administrator.counted("bring a device in")


def answered(web, token):
    """The status with which the interface for programs answers a program that holds this token."""
    asked = urllib.request.Request(web + "/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    try:
        return urllib.request.urlopen(asked, timeout=WAIT_S).status
    except urllib.error.HTTPError as refused:
        return refused.code


def program(administrator):
    """A token is made, shown once, lets a program in, and is taken back."""
    administrator.clicks = 0
    administrator.follow("Trần Văn Trị")
    administrator.follow("Mã truy cập của chương trình")
    administrator.has("Bạn chưa có mã nào")
    administrator.type("name", "bang-tin")
    administrator.clicks += 1
    administrator.click("[name=act][value=watch]")
    administrator.press("Làm mã này")
    administrator.has("Chỉ hiện lần này")
    administrator.counted("make a token for a program")
    administrator.looked_at("ma-truy-cap")
    token = administrator.text(".note.good code")
    if answered(administrator.web, token) != 200:
        sys.exit("the token does not count")
    administrator.open("/administration/keys")
    administrator.has("bang-tin")
    administrator.open("/account/tokens")
    if "loaban_" in administrator.text():
        sys.exit("the token is shown a second time")
    administrator.press("Thu hồi")
    administrator.has("Bạn chưa có mã nào")
    if answered(administrator.web, token) != 401:
        sys.exit("a token that was taken back counts")


def left(administrator):
    """Somebody leaves, and has their name forgotten."""
    administrator.open("/people/cua")
    administrator.clicks = 0
    administrator.press("Lấy lại mọi nhiệm vụ")
    administrator.has("Đã lấy lại mọi nhiệm vụ")
    administrator.has("không lấy lại được")
    administrator.looked_at("quan-tri-xoa-ho-ten")
    administrator.clicks += 1
    administrator.click("[name=sure]")
    administrator.press("Xoá họ tên")
    administrator.has("Đã xoá họ tên")
    if "Giàng A Của" in administrator.text("body"):
        sys.exit("the name is still there")
    administrator.counted("somebody leaves and is forgotten")


def rest(administrator):
    administrator.open("/administration/lists")
    administrator.has("Khung giờ phát")
    administrator.click("#add-column summary")
    field = administrator.driver.find_element(By.CSS_SELECTOR, "#add-column [name=name]")
    field.send_keys("Tiếng nói bản làng")
    administrator.press("Thêm chuyên mục")
    administrator.until(
        lambda driver: "Tiếng nói bản làng" in driver.find_element(By.TAG_NAME, "main").text)
    administrator.looked_at("quan-tri-danh-muc")
    administrator.open("/administration/files")
    administrator.looked_at("quan-tri-tep")
    administrator.follow("danh-muc.toml")
    administrator.has("Tiếng nói bản làng")
    text = administrator.driver.find_element(By.NAME, "text")
    text.send_keys("\n[[column")
    administrator.press("Kiểm tra và ghi")
    administrator.has("Chưa ghi gì")
    administrator.looked_at("quan-tri-mot-tep")
    for path, words, name in (("keys", "Danh mục khoá đã ký", "khoa"), ("health", "Mọi phần đều ổn", "suc-khoe")):
        administrator.open(f"/administration/{path}")
        administrator.has(words)
        administrator.looked_at(f"quan-tri-{name}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--web", required=True)
    parser.add_argument("--inspector", required=True, help="the invitation of the inspector")
    parser.add_argument("--administrator", required=True, help="the invitation of the administrator")
    parser.add_argument("--devices", required=True, help="the folders of the controllers")
    parser.add_argument("--controller", required=True, help="the controller's program")
    parser.add_argument("--pictures", default=os.environ.get("LOABAN_PICTURES"))
    given = parser.parse_args()
    size = (1180, 800)
    people = [Clerk(given.web, given.pictures, size) for _ in range(2)]
    inspector, administrator = people
    steps = time.monotonic()

    def step(name, _):
        nonlocal steps
        now = time.monotonic()
        print(f"{name}: {now - steps:.1f} s", flush=True)
        steps = now

    try:
        step("comes in", inspector.comes_in(given.inspector, "thanh-tra"))
        step("airing", airing(inspector))
        step("why", why(inspector))
        step("verified", verified(inspector))
        step("forms", forms(inspector))
        cookies = inspector.driver.get_cookies()
        step("phone", on_a_phone(given.web, given.pictures, cookies))
        inspector.driver.delete_all_cookies()
        step("comes in", administrator.comes_in(given.administrator, "quan-tri"))
        step("hired", hired(administrator, inspector))
        step("device", device(administrator, given.devices, given.controller))
        step("program", program(administrator))
        step("left", left(administrator))
        step("rest", rest(administrator))
    finally:
        for one in people:
            one.driver.quit()
    print("every step was seen")


if __name__ == "__main__":
    main()
