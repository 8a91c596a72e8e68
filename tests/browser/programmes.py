"""Programmes at the pages, in Debian's Chromium, on a station whose server and controllers really run.

A station editor drags one programme onto the week and makes another by keyboard alone; both are to air. Then one
airing is dragged to another time and taken back, and two editors meet in one programme.
"""

import argparse
import datetime
import os
import re
import sys
import time

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from journey import Person

# What a first visit to the week may load.
WEEK_BYTES_MAX = 200_000
ZONE = datetime.timezone(datetime.timedelta(hours=7))
# From the last key to the first sample: the save, the manifest, the recording.
LEAD_S = 45


def local(seconds=0):
    return datetime.datetime.now(ZONE) + datetime.timedelta(seconds=seconds)


def place(person, date, hour):
    """Where an hour of a day is on the screen."""
    return person.driver.execute_script(
        """const svg = document.querySelector('svg[data-week]'), [date, hour] = arguments, d = svg.dataset;
        svg.scrollIntoView({block: 'start'});
        const x = Number(d.left) + (d.days.split(',').indexOf(date) + .5) * Number(d.day);
        const y = Number(d.top) + (hour - Number(d.first)) * Number(d.hour);
        const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
        return [Math.round(at.x), Math.round(at.y)]""", date, hour)


def drag(person, from_, to):
    """By mouse, in steps, as a hand does."""
    actions = ActionChains(person.driver, duration=80)
    pointer = actions.w3c_actions.pointer_action
    pointer.move_to_location(*from_)
    pointer.pointer_down()
    for part in (1, 2, 3):
        pointer.move_to_location(*[round(a + (b - a) * part / 3) for a, b in zip(from_, to)])
    pointer.pointer_up()
    actions.perform()


def value(person, name):
    return person.driver.find_element(By.NAME, name).get_attribute("value")


def saves(person):
    """Looks, says yes to what is near, saves."""
    near = person.driver.find_elements(By.CSS_SELECTOR, "form[action='/programmes/save'] [type=checkbox]")
    for box in near:
        box.click()
    person.press("Lưu")
    person.has("Đã lưu")


def dragged(person):
    """A programme by mouse: over empty space of today's column."""
    person.open("/programmes/week")
    person.has("Lịch phát trong tuần")
    if person.wired() > WEEK_BYTES_MAX:
        sys.exit(f"a first visit to the week takes {person.wired()} bytes")
    today = local().strftime("%Y-%m-%d")
    (x, y), (_, below) = place(person, today, 8), place(person, today, 9)
    drag(person, (x, y), (x, below))
    person.has("Chương trình mới")
    if (value(person, "date"), value(person, "times")) != (today, "08:00"):
        sys.exit(f"dragged to {today} 08:00, and the form says {value(person, 'date')} {value(person, 'times')}")
    if person.would_lose():
        sys.exit("a form that nobody touched is not left without a question")
    person.type("title", "Đọc báo kéo thả")
    if not person.would_lose():
        sys.exit("a programme that was not saved is lost without a question")
    person.click("[name=area][value=lai-chau]")
    person.click("[name=content][value=bulletins]")
    person.driver.find_elements(By.NAME, "bulletin")[0].send_keys("lich-tiem-chung")
    person.looked_at("chuong-trinh-moi")
    person.type("times", local(LEAD_S).strftime("%H:%M:%S"))
    person.press("Xem trước rồi lưu")
    person.has("phát thêm lúc")
    person.has("trong vòng một giờ tới")
    person.looked_at("xem-truoc")
    saves(person)
    person.has("Đọc báo kéo thả")


def tab_to(person, name, value_=None, limit=120):
    """Presses Tab until that field has the focus."""
    for _ in range(limit):
        here = person.driver.switch_to.active_element
        if here.get_attribute("name") == name and value_ in (None, here.get_attribute("value")):
            return here
        here.send_keys(Keys.TAB)
    sys.exit(f"no Tab led to {name} {value_ or ''} at {person.driver.current_url}")


def by_keyboard(person):
    """A programme without a mouse."""
    person.open("/programmes/new")
    person.has("Chương trình mới")
    tab_to(person, "title").send_keys("Đọc báo bằng phím")
    tab_to(person, "area", "lai-chau").send_keys(Keys.SPACE)
    at = local(LEAD_S + 20).strftime("%H:%M:%S")
    tab_to(person, "times").send_keys(at)
    tab_to(person, "content", "newest").send_keys(Keys.ARROW_DOWN)
    tab_to(person, "bulletin").send_keys("lich-tiem-chung")
    person.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    form = "form[action='/programmes/preview'] button"
    for _ in range(120):
        here = person.driver.switch_to.active_element
        if here.tag_name == "button" and here.text == "Xem trước rồi lưu":
            break
        here.send_keys(Keys.TAB)
    else:
        sys.exit(f"no Tab led to {form}")
    person.driver.switch_to.active_element.send_keys(Keys.ENTER)
    person.has("phát thêm lúc")
    for _ in range(60):
        here = person.driver.switch_to.active_element
        if here.get_attribute("type") == "checkbox":
            here.send_keys(Keys.SPACE)
        if here.tag_name == "button" and here.text == "Lưu":
            here.send_keys(Keys.ENTER)
            break
        here.send_keys(Keys.TAB)
    person.has("Đã lưu")
    person.has("Đọc báo bằng phím")


def ahead(days):
    """A day to come, on which the bulletin still holds, and the Monday of its week."""
    day = local().date() + datetime.timedelta(days=days)
    return day.isoformat(), (day - datetime.timedelta(days=day.weekday())).isoformat()


def moved_and_back(person):
    """One airing dragged two hours down, and taken back."""
    day, monday = ahead(2)
    person.open(f"/programmes/week?from={monday}")
    person.has("Tin buổi sáng")
    (x, y), (_, below) = place(person, day, 6.55), place(person, day, 8.55)
    drag(person, (x, y), (x, below))
    person.has("06:30 → 08:30")
    person.has("Chỉ lượt này")
    person.press("Lượt này và mọi lượt sau")
    person.has("Tin buổi sáng (mới)")
    person.press("Chỉ lượt này")
    person.has("ngoại lệ “Tin buổi sáng” (mới)")
    saves(person)
    person.has("08:30")
    person.looked_at("lich-tuan")
    person.driver.find_element(By.XPATH, "//button[contains(., 'Hoàn tác')]").click()
    person.has("08:30 → 06:30")
    saves(person)
    text = person.driver.find_element(By.TAG_NAME, "main").text
    if re.search(r"(?<![\d:])08:30(?![\d:])", text):
        sys.exit("an airing that was taken back is still at its new time")


def two_editors(first, second):
    """Both open one programme; the first saves, the second is told and loses nothing."""
    for person in (first, second):
        person.open("/programmes/tin-sang")
        person.has("Tin buổi sáng")
    second.type("times", "06:45")
    second.press("Xem trước rồi lưu")
    second.has("06:30 → 06:45")
    saves(second)
    first.type("title", "Tin buổi sáng của tỉnh")
    first.type("times", "07:00")
    first.press("Xem trước rồi lưu")
    first.has("Có người vừa đổi trước bạn")
    first.has("Vàng Văn Dũng")
    first.has("Giờ phát: 06:30 → 06:45")
    first.looked_at("hai-nguoi-sua")
    first.press("Sửa tiếp")
    if value(first, "title") != "Tin buổi sáng của tỉnh" or value(first, "times") != "07:00":
        sys.exit("what the second editor typed is lost")
    first.press("Xem trước rồi lưu")
    first.has("06:45 → 07:00")
    saves(first)


def storm(person):
    person.open("/exceptions/new?storm=1")
    person.has("Ngoại lệ mới")
    date, _ = ahead(3)
    person.driver.execute_script("document.getElementsByName('from')[0].value = arguments[0]", date)
    person.click("[name=area][value=lai-chau]")
    person.looked_at("ngay-bao")
    person.press("Xem trước rồi lưu")
    person.has("không phát nữa lúc")
    saves(person)
    person.has("Ngày bão")


def looks(person, phone):
    person.open("/programmes")
    person.has("Ngoại lệ và ngày bão")
    person.looked_at("chuong-trinh")
    person.open("/programmes/village?area=mu-ca")
    person.has("Nơi này nghe gì")
    person.type("bulletin", "lich tiem chung")
    person.driver.switch_to.active_element.send_keys(Keys.ENTER)
    person.until(lambda driver: driver.find_elements(By.ID, "answer"))
    person.has("Đọc báo kéo thả")
    person.looked_at("noi-nay-nghe-gi")
    person.has("Tiếp theo:")
    phone.open(f"/programmes/week?from={ahead(2)[1]}")
    phone.has("Từng ngày")
    phone.looked_at("lich-tuan-dien-thoai")
    phone.open("/programmes/tin-sang")
    phone.has("Khi nào")
    phone.looked_at("chuong-trinh-dien-thoai")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--web", required=True)
    parser.add_argument("--invitations", required=True, nargs=2, help="of an, dung")
    parser.add_argument("--pictures", default=os.environ.get("LOABAN_PICTURES"))
    given = parser.parse_args()
    people = []

    def person(size, name, invitation):
        people.append(Person(given.web, given.pictures, size))
        people[-1].signs_in(invitation, name)
        # An announcer has no page of loudspeakers; the menu has programmes for everybody.
        people[-1].has("Đăng xuất")
        return people[-1]

    steps = time.monotonic()

    def step(name, done):
        nonlocal steps
        now = time.monotonic()
        print(f"{name}: {now - steps:.1f} s", flush=True)
        steps = now
        return done

    try:
        editor = step("editor", person((1180, 900), "an", given.invitations[0]))
        step("drag", dragged(editor))
        step("keyboard", by_keyboard(editor))
        step("move and undo", moved_and_back(editor))
        phone = step("leader", person((360, 740), "dung", given.invitations[1]))
        step("two editors", two_editors(editor, phone))
        step("storm", storm(editor))
        step("looks", looks(editor, phone))
    finally:
        for one in people:
            one.driver.quit()
    print("every step was seen")


if __name__ == "__main__":
    main()
