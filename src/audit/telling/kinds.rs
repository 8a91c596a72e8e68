//! The sentences, kind by kind, and what their fields name.

use super::Noun;

/// Kind; the pattern of its sentence in Vietnamese and in English.
pub(super) const KINDS: [(&str, &str, &str); 53] = [
    (
        "announcement.made",
        "{who} làm thông báo {bulletin} của {area} cho {villages}[, phát lúc {at}]",
        "{who} made the announcement {bulletin} of {area} for {villages}[, to air at {at}]",
    ),
    (
        "announcement.moved",
        "{who} đổi giờ hoặc nơi nghe thông báo {bulletin}[: phát lúc {at}] ở {villages}",
        "{who} moved the announcement {bulletin}[ to {at}] for {villages}",
    ),
    (
        "announcement.withdrawn",
        "{who} thu hồi thông báo[ {bulletin}][: {reason}]",
        "{who} took the announcement[ {bulletin}] back[: {reason}]",
    ),
    (
        "bulletin.kept",
        "{who} ghi bản tin[ “{title}”][ ({id})]",
        "{who} kept the bulletin[ “{title}”][ ({id})]",
    ),
    (
        "controller.certified",
        "{who} cấp chứng thư số {serial} cho bộ thu {controller}, dùng đến {until}",
        "{who} gave controller {controller} the certificate {serial}, good until {until}",
    ),
    (
        "controller.enrolled",
        "{who} ghi danh thiết bị của bộ thu {controller}",
        "{who} enrolled the device of controller {controller}",
    ),
    (
        "controller.expected",
        "{who} thấy bộ thu {controller}[ ở {area}] có trong lịch mà chưa có thiết bị nào",
        "{who} found controller {controller}[ in {area}] in the schedule without any device",
    ),
    (
        "controller.provisioned",
        "{who} cấp phát thiết bị cho bộ thu {controller}; mã dùng một lần đến {code_until}",
        "{who} provisioned a device for controller {controller}; its code counts until {code_until}",
    ),
    (
        "controller.revoked",
        "{who} thu hồi thiết bị của bộ thu {controller}",
        "{who} revoked the device of controller {controller}",
    ),
    (
        "correction.made",
        "{who} đính chính mục {entry}: {says}",
        "{who} corrected entry {entry}: {says}",
    ),
    (
        "decision.taken",
        "{who} quyết định cho chương trình {first} phát trước ({id})",
        "{who} decided that {first} goes first ({id})",
    ),
    (
        "emergency.asked",
        "{who} đề nghị phát khẩn cấp {emergency}[ ở {areas}]; còn chờ người thứ hai",
        "{who} asked for the emergency {emergency}[ in {areas}]; another officer is to confirm it",
    ),
    (
        "emergency.cancel-asked",
        "{who} đề nghị huỷ bản tin khẩn cấp {emergency}; còn chờ người thứ hai",
        "{who} asked to cancel the emergency {emergency}; another officer is to confirm it",
    ),
    (
        "emergency.cancelled",
        "{who} xác nhận huỷ bản tin khẩn cấp {emergency}",
        "{who} confirmed the cancel of the emergency {emergency}",
    ),
    (
        "emergency.raised",
        "{who} xác nhận phát khẩn cấp {emergency}[ ở {areas}]",
        "{who} confirmed the emergency {emergency}[ in {areas}]",
    ),
    ("export.made", "{who} lấy dữ liệu ra: {what}", "{who} took out data: {what}"),
    (
        "fleet.imported",
        "{who} nhập danh sách bộ thu, {changes} thay đổi",
        "{who} imported the roster of controllers, {changes} changes",
    ),
    (
        "hold.lifted",
        "{who} bỏ lệnh lưu giữ: từ nay lại được xoá dữ liệu cá nhân",
        "{who} lifted the legal hold: personal data may be erased again",
    ),
    (
        "hold.placed",
        "{who} đặt lệnh lưu giữ, cấm xoá dữ liệu cá nhân: {reason}",
        "{who} placed a legal hold against every erasure: {reason}",
    ),
    (
        "login.code-refused",
        "{who} từ chối một mã dùng một lần sai của {person}",
        "{who} refused a wrong one-time code of {person}",
    ),
    (
        "login.invited",
        "{who} làm lời mời đăng nhập cho {person}",
        "{who} invited {person} to the pages",
    ),
    (
        "login.refused",
        "{who} từ chối một lần đăng nhập bằng tên {name}: tên hoặc mật khẩu sai",
        "{who} refused a sign-in as {name}: a wrong name or password",
    ),
    (
        "login.second-set",
        "{who} đặt mã dùng một lần cho tài khoản của mình",
        "{who} set up one-time codes for their account",
    ),
    ("login.set", "{who} đặt mật khẩu", "{who} chose a password"),
    (
        "manifest.issued",
        "{who} ký lịch phát số {number} cho bộ thu {controller}: {airings} lượt phát, dùng đến \
         {valid_until}",
        "{who} signed manifest {number} for controller {controller}: {airings} airings, good until \
         {valid_until}",
    ),
    (
        "order.given",
        "{who} ra lệnh cho bộ thu {controller}[: {command}]",
        "{who} gave controller {controller} an order[: {command}]",
    ),
    (
        "outline.imported",
        "{who} nhập đường ranh giới của {area} cho bản đồ, {points} điểm",
        "{who} imported the border of {area} for maps, {points} points",
    ),
    (
        "person.added",
        "{who} ghi {person}[ với nhiệm vụ: {duties}]",
        "{who} kept {person}[ with the duties: {duties}]",
    ),
    (
        "person.erased",
        "{who} xoá họ tên của {person} khỏi cơ sở dữ liệu",
        "{who} erased the name of {person} from the database",
    ),
    (
        "person.revoked",
        "{who} lấy lại mọi nhiệm vụ của {person}",
        "{who} took every duty of {person} back",
    ),
    (
        "question.answered",
        "{who} ghi câu trả lời cho câu hỏi {question} của người dân",
        "{who} answered the villager's question {question}",
    ),
    (
        "question.asked",
        "{who} ghi câu hỏi {question} của người dân[ ở {village}][, bằng {language}]",
        "{who} took down the question {question} of a villager[ of {village}][, in {language}]",
    ),
    (
        "question.closed",
        "{who} đóng câu hỏi {question}[, trả lời bằng bản tin {bulletin}][: {reason}]",
        "{who} closed the question {question}[, answered by the bulletin {bulletin}][: {reason}]",
    ),
    (
        "question.erased",
        "{who} xoá dữ liệu cá nhân của câu hỏi {question}",
        "{who} erased the personal data of the question {question}",
    ),
    (
        "receipts.taken",
        "{who} gửi các biên nhận số {first} đến {upto}, có chữ ký của thiết bị",
        "{who} sent its receipts {first} to {upto}, signed by the device",
    ),
    (
        "schedule.edited",
        "{who} sửa chương trình phát: {turns}[ (hoàn tác {undone})]",
        "{who} changed programmes: {turns}[ (undoing {undone})]",
    ),
    ("schedule.imported", "{who} nhập tệp lịch {file}", "{who} imported the schedule file {file}"),
    ("session.begun", "{who} đăng nhập", "{who} signed in"),
    (
        "session.ended",
        "{who} kết thúc phiên làm việc của {person}[ ({sessions} phiên)]",
        "{who} ended sessions of {person}[ ({sessions})]",
    ),
    (
        "speaker.acknowledged",
        "{who} nhận lo lỗi của bộ thu {controller}: {note}",
        "{who} takes care of the fault of controller {controller}: {note}",
    ),
    (
        "speaker.maintained",
        "{who} ghi bảo trì bộ thu {controller} đến {until}: {reason}",
        "{who} noted maintenance of controller {controller} until {until}: {reason}",
    ),
    (
        "speaker.maintenance-ended",
        "{who} ghi đã bảo trì xong bộ thu {controller}",
        "{who} noted that the maintenance of controller {controller} is done",
    ),
    (
        "station.headed",
        "{who} ghi tên cơ quan ở đầu biểu mẫu: {authority}[, {office}]",
        "{who} noted who files the forms: {authority}[, {office}]",
    ),
    (
        "token.made",
        "{who} làm mã truy cập {token} cho {person}, được: {scopes}[; dùng đến {expires}]",
        "{who} made the token {token} for {person}, which allows {scopes}[; good until {expires}]",
    ),
    (
        "token.revoked",
        "{who} thu hồi mã truy cập {token} của {person}",
        "{who} revoked the token {token} of {person}",
    ),
    (
        "trust.signed",
        "{who} công bố danh mục khoá số {version}, ký bằng khoá gốc",
        "{who} published the list of keys that count, version {version}, signed by the root key",
    ),
    (
        "version.approved",
        "{who} duyệt bản {language}[ của {bulletin}]",
        "{who} approved the version in {language}[ of {bulletin}]",
    ),
    (
        "version.contributed",
        "{who} nộp lời văn {language}[ của {bulletin}]",
        "{who} handed in the text in {language}[ of {bulletin}]",
    ),
    (
        "version.drafted",
        "{who} nộp bản ghi âm {language}[ của {bulletin}][, giọng đọc: {announcer}]",
        "{who} handed in the recording in {language}[ of {bulletin}][, read by {announcer}]",
    ),
    (
        "version.returned",
        "{who} trả lại bản {language}[ của {bulletin}] để sửa[: {comment}]",
        "{who} returned the version in {language}[ of {bulletin}] to be mended[: {comment}]",
    ),
    (
        "version.reviewed",
        "{who} nghe thẩm định bản {language}[ của {bulletin}]: đạt",
        "{who} listened back to the version in {language}[ of {bulletin}]: it is right",
    ),
    (
        "version.translated",
        "{who} dịch lời văn sang {language}[ cho {bulletin}]",
        "{who} translated the text into {language}[ for {bulletin}]",
    ),
    (
        "version.withdrawn",
        "{who} thu hồi bản {language}[ của {bulletin}][: {reason}]",
        "{who} withdrew the version in {language}[ of {bulletin}][: {reason}]",
    ),
];

/// What the fields of facts name.
pub(super) const FIELDS: [(&str, Noun); 22] = [
    ("announcer", Noun::Person),
    ("area", Noun::Area),
    ("areas", Noun::Area),
    ("at", Noun::Moment),
    ("bulletin", Noun::Bulletin),
    ("code_until", Noun::Moment),
    ("command", Noun::Word),
    ("controller", Noun::Controller),
    ("duties", Noun::Duties),
    ("expires", Noun::Moment),
    ("first", Noun::Programme),
    ("issued", Noun::Moment),
    ("language", Noun::Language),
    ("name", Noun::Person),
    ("person", Noun::Person),
    ("since", Noun::Moment),
    ("translator", Noun::Person),
    ("turns", Noun::Word),
    ("until", Noun::Moment),
    ("valid_until", Noun::Moment),
    ("village", Noun::Area),
    ("villages", Noun::Area),
];

/// Words of the wire.
pub(super) const WORDS: [(&str, &str, &str); 6] = [
    ("exception", "ngoại lệ", "the exception"),
    ("programme", "chương trình", "the programme"),
    ("report", "báo cáo tình trạng", "report"),
    ("selftest", "thử loa", "self-test"),
    ("stop", "dừng phát", "stop"),
    ("volume", "đặt âm lượng", "volume"),
];
