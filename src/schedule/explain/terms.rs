//! The words of the wire and of the log, in Vietnamese and in English.

use super::Step;
use super::words::{Words, both};
use crate::audit::telling::{self, Told};
use crate::time::Zone;

/// Cause of the wire; what it means and what would mend it, in Vietnamese and in English.
const CAUSES: [(&str, &str, &str, &str, &str); 18] = [
    (
        "quiet",
        "bộ thu đang trong giờ yên lặng đặt tại thiết bị",
        "the controller was in the quiet hours of its own settings",
        "sửa giờ yên lặng trong `controller.toml`, hoặc dời giờ phát",
        "mend the quiet hours in its `controller.toml`, or air it at another time",
    ),
    (
        "policy",
        "ngoài khung giờ phát đã ký",
        "it was outside the signed airtime policy",
        "dời giờ phát hoặc mở rộng khung giờ của xã",
        "move it, or widen the commune's window",
    ),
    (
        "clock",
        "đồng hồ của bộ thu chưa tin cậy được",
        "the controller could not trust its clock",
        "khôi phục đường truyền để bộ thu hỏi giờ; kiểm tra pin đồng hồ",
        "restore its link so that it can ask the time; check the battery of its clock",
    ),
    (
        "missing",
        "bản ghi âm chưa về đến bộ thu",
        "the recording had not arrived at the controller",
        "khôi phục đường truyền; duyệt bản tin sớm hơn giờ phát",
        "restore its link; approve earlier before air",
    ),
    (
        "expired",
        "lịch hoặc bản tin đã hết hạn tại bộ thu",
        "the schedule or the bulletin had run out at the controller",
        "khôi phục đường truyền để nhận lịch mới; gia hạn bản tin",
        "restore its link for a new schedule; let the bulletin hold longer",
    ),
    (
        "refused",
        "bộ thu từ chối: chữ ký, địa bàn hoặc ngôn ngữ không hợp lệ",
        "the controller refused it: a signature, an area or a language was not right",
        "xem biên nhận từ chối, duyệt lại bằng khoá còn hiệu lực",
        "look at the refusal's receipt; approve again with a key that counts",
    ),
    (
        "storage",
        "bộ nhớ biên nhận của bộ thu đã đầy",
        "the controller's storage for receipts was full",
        "khôi phục đường truyền để biên nhận được xác nhận",
        "restore its link so that receipts are acknowledged",
    ),
    (
        "power",
        "bộ thu mất điện",
        "the controller was without power",
        "kiểm tra nguồn điện; phát lại vào giờ khác",
        "check its power; air it again at another time",
    ),
    (
        "emergency",
        "nhường bản tin khẩn cấp",
        "an emergency sounded",
        "phát lại vào giờ khác",
        "air it again at another time",
    ),
    (
        "stopped",
        "có người dừng phát bằng lệnh hoặc công tắc tại chỗ",
        "somebody stopped it by an order or the switch on the spot",
        "hỏi người trực tại xã; phát lại",
        "ask who was on duty; air it again",
    ),
    (
        "sound",
        "thiết bị âm thanh hoặc bản ghi âm bị lỗi",
        "the sound device or the recording failed",
        "chạy tự kiểm tra bộ thu; kiểm tra loa",
        "run the controller's self-test; look at the speaker",
    ),
    (
        "busy",
        "bộ thu đang phát chương trình khác",
        "another airing was still playing",
        "dời một trong hai chương trình",
        "move one of the two programmes",
    ),
    (
        "withdrawn",
        "bản tin đã bị thu hồi",
        "the bulletin was withdrawn",
        "thu âm và duyệt bản mới",
        "record and approve a new version",
    ),
    (
        "lost",
        "mất liên lạc với bộ thu",
        "the controller's link was lost",
        "khôi phục đường truyền",
        "restore its link",
    ),
    (
        "revoked",
        "thiết bị ở đó đã bị thu hồi, nên không có biên nhận",
        "the device there was revoked, so there is no receipt",
        "cấp một thiết bị khác rồi ghi danh",
        "provision another device and enrol it",
    ),
    (
        "exchanged",
        "thiết bị ở đó đã được thay trước khi gửi biên nhận",
        "the device there was exchanged before it sent its receipt",
        "giữ lại thẻ nhớ của thiết bị cũ: biên nhận còn ở đó",
        "keep the card of the old device: its receipts are on it",
    ),
    (
        "never-set-up",
        "chưa từng có thiết bị nào được lắp và ghi danh ở đó",
        "no device was ever set up there",
        "cấp một thiết bị, lắp rồi ghi danh",
        "provision a device, set it up and enrol it",
    ),
    (
        "unenrolled",
        "chưa có thiết bị nào được ghi danh ở đó",
        "no device was enrolled there",
        "cấp một thiết bị rồi ghi danh",
        "provision a device and enrol it",
    ),
];

/// The meaning of a cause; the word itself where it is a new one.
pub(super) fn cause(word: &str) -> (Words, Words) {
    let found = CAUSES.iter().find(|(cause, ..)| *cause == word);
    found.map_or_else(
        || (both(word, word), both("xem biên nhận", "look at the receipt")),
        |(_, vi, en, mend_vi, mend_en)| (both(*vi, *en), both(*mend_vi, *mend_en)),
    )
}

/// What became of an item, in the word of the wire.
const OUTCOMES: [(&str, &str, &str); 5] = [
    ("completed", "đã phát trọn", "played to its end"),
    ("interrupted", "bị ngắt", "interrupted"),
    ("preempted", "nhường bản tin khẩn cấp", "gave way to an emergency"),
    ("skipped", "không phát", "not played"),
    ("failed", "phát lỗi", "failed"),
];

/// How something is known, in the word of the wire.
const EVIDENCE: [(&str, &str, &str); 4] = [
    ("commanded", "đã ra lệnh", "commanded"),
    ("rendered", "đã phát ra tín hiệu", "rendered"),
    ("measured", "đã đo được", "measured"),
    ("heard", "đã nghe được", "heard"),
];

/// A word in both languages; the word itself where it is a new one.
fn term(all: &[(&str, &str, &str)], word: &str) -> Words {
    let found = all.iter().find(|(known, ..)| *known == word);
    found.map_or_else(|| both(word, word), |(_, vi, en)| both(*vi, *en))
}

/// What became of an item.
pub fn outcome(word: &str) -> Words {
    term(&OUTCOMES, word)
}

/// How it is known.
pub fn evidence(word: &str) -> Words {
    term(&EVIDENCE, word)
}

/// A step in the life of the bulletin that is asked about, which need not be named again.
pub(super) fn step(step: &Step, zone: Zone) -> Words {
    let told = telling::sentence(&step.kind, &step.who, &own(&step.body), &(), zone);
    let told = told.unwrap_or_else(|| Told::same(&*step.kind));
    let plain = |text: &str| text.trim_end_matches('.').to_owned();
    both(plain(&told.vi), plain(&told.en))
}

/// What a fact says beside which bulletin it is about.
fn own(body: &str) -> String {
    let mut members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(body).unwrap_or_default();
    members.remove("bulletin");
    serde_json::Value::Object(members).to_string()
}
