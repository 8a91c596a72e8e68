//! What went wrong, as a page that says what to do.

mod newsroom;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::access::{Action, Denied};
use crate::schedule::edit::{NotEdited, NotReached};
use crate::server::{AlarmError, EnrolError, LoginError, ServerError};
use crate::vault::SealedError;
use crate::web::Site;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;

/// A refusal or a failure, in both languages.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) vi: String,
    pub(super) en: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, vi: &str, en: &str) -> Self {
        Self { status, vi: vi.to_owned(), en: en.to_owned() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Không có trang này; hãy quay về trang đầu.",
            "There is no such page; go back to the first page.",
        )
    }

    pub(super) fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Bạn chưa đăng nhập; hãy đăng nhập rồi mở lại trang này.",
            "You are not signed in; sign in and open this page again.",
        )
    }

    pub(super) fn other_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Yêu cầu này không đến từ trang của hệ thống; hãy mở trang và bấm lại tại đó.",
            "This request did not come from a page of this site; open the page and press there.",
        )
    }

    pub(super) fn broken_off() -> Self {
        Self::bad(
            "Bản ghi bị đứt giữa chừng khi gửi; hãy gửi lại.",
            "The recording broke off on its way; send it again.",
        )
    }

    pub(super) fn bad(vi: &str, en: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, vi, en)
    }

    pub(super) fn denied(action: Action) -> Self {
        let needed: Vec<String> = action.duties().iter().map(ToString::to_string).collect();
        let needed = needed.join(", ");
        Self {
            status: StatusCode::FORBIDDEN,
            vi: format!("Bạn không có nhiệm vụ cần cho việc này ({needed}); hãy nhờ quản trị."),
            en: format!("You have not the duty for this ({needed}); ask an administrator."),
        }
    }
}

impl From<ServerError> for Fault {
    fn from(error: ServerError) -> Self {
        let en = newsroom::told_en(&error).unwrap_or_else(|| error.to_string());
        let (status, vi) = told(&error);
        if status.is_server_error() {
            tracing::warn!(error = %en, "a page failed");
        }
        Self { status, vi: vi.unwrap_or_else(|| format!("Không làm được: {en}.")), en }
    }
}

impl From<crate::store::StoreError> for Fault {
    fn from(error: crate::store::StoreError) -> Self {
        ServerError::Store(error).into()
    }
}

/// The status of an error, and its sentence in Vietnamese where it has one of its own.
fn told(error: &ServerError) -> (StatusCode, Option<String>) {
    let refused = |vi: &str| (StatusCode::UNPROCESSABLE_ENTITY, Some(vi.to_owned()));
    match error {
        ServerError::Login(error) => (StatusCode::UNPROCESSABLE_ENTITY, Some(login_vi(error))),
        ServerError::Enrol(error) => (StatusCode::UNPROCESSABLE_ENTITY, Some(enrol_vi(error))),
        ServerError::Denied(denied) => (StatusCode::FORBIDDEN, Some(denied_vi(denied))),
        ServerError::Alarm(error) => (StatusCode::UNPROCESSABLE_ENTITY, Some(alarm_vi(error))),
        ServerError::Sealed(SealedError::Wrong(_)) => {
            refused("Cụm mật khẩu không mở được khoá của bạn; hãy gõ lại.")
        }
        ServerError::NoKey(path) if path.ends_with("root.json") => {
            refused("Khoá gốc không có trên máy chủ; hãy cắm thẻ nhớ giữ nó, rồi làm lại.")
        }
        ServerError::NoPassphrase { .. } => refused(
            "Nhiệm vụ này cần khoá riêng: hãy gõ cụm mật khẩu của người đó và của khoá gốc.",
        ),
        ServerError::NoKey(_) => {
            refused("Bạn chưa có khoá để ký; hãy nhờ quản trị thêm khoá ký cho nhiệm vụ của bạn.")
        }
        ServerError::NotOpen(_) => {
            refused("Câu hỏi này không còn; hai chương trình không còn trùng giờ.")
        }
        ServerError::NoRecording => refused("Không còn bản ghi này; hãy ghi âm hoặc chọn lại."),
        ServerError::AnnouncementTime => {
            refused("Thông báo phải phát trong 7 ngày tới; hãy chọn giờ khác.")
        }
        ServerError::DoesNotFit { vi, .. } => refused(&format!("Không phát được vào giờ đó. {vi}")),
        ServerError::AnnouncedAlready(_) => {
            refused("Thông báo này đã tới giờ phát rồi; muốn phát lại, hãy làm thông báo mới.")
        }
        ServerError::Edit(error) => refused(&edit_vi(error)),
        ServerError::Reach(error) => refused(&reach_vi(error)),
        ServerError::NoFault(_) => refused("Loa này không có lỗi nào; hãy mở lại trang."),
        ServerError::MaintenanceLength => {
            refused("Bảo trì kéo dài nhiều nhất 14 ngày; hãy chọn thời gian khác.")
        }
        ServerError::DecidedLate { deadline, .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(format!("Đã quá hạn quyết định ({deadline}); thứ tự mặc định được giữ.")),
        ),
        ServerError::NotProvisioned(controller) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(format!("Bộ thu {controller} chưa được cấp phát; hãy nhờ quản trị.")),
        ),
        ServerError::NoPerson(_)
        | ServerError::NoBulletin(_)
        | ServerError::NoVersion { .. }
        | ServerError::NoArea(_)
        | ServerError::NoQuestion(_)
        | ServerError::UnknownController(_) => (StatusCode::NOT_FOUND, None),
        ServerError::Store(_)
        | ServerError::Vault(_)
        | ServerError::Log(_)
        | ServerError::Task(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("Máy chủ chưa trả lời được; hãy thử lại sau ít phút.".to_owned()),
        ),
        ServerError::Changed { .. } => (StatusCode::CONFLICT, newsroom::told(error)),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, newsroom::told(error)),
    }
}

fn edit_vi(error: &NotEdited) -> String {
    match error {
        NotEdited::Faults(faults) => format!("Lịch sẽ không đọc được: {faults}."),
        NotEdited::Unmarked { file, what } => {
            format!("Tệp {file} không ghi {what} dưới tiêu đề riêng; hãy sửa tệp đó trước.")
        }
        NotEdited::Announcement(_) => {
            "Đây là thông báo của xã; hãy đổi giờ ở trang của thông báo.".to_owned()
        }
        NotEdited::Changed(what) => {
            format!("Có người vừa đổi {what}; hãy xem lại rồi làm lại.")
        }
        NotEdited::TooMany => {
            "Một lần chỉ đổi được 64 chương trình và ngoại lệ; hãy làm từng phần.".to_owned()
        }
        NotEdited::Nothing => "Chưa có gì thay đổi; hãy sửa điều gì đó trước.".to_owned(),
        NotEdited::Otherwise => {
            "Lịch ghi lại sẽ nói khác điều bạn muốn nên không có gì được lưu; hãy báo lỗi này."
                .to_owned()
        }
    }
}

fn reach_vi(error: &NotReached) -> String {
    match error {
        NotReached::NoSlot(id, date) => {
            format!("{id} không phát vào ngày {date}; hãy mở lại lịch tuần.")
        }
        NotReached::Cron(id) => {
            format!("{id} phát theo biểu thức cron; hãy đổi ngày trong biểu mẫu của chương trình.")
        }
        NotReached::Days(id) => format!(
            "{id} còn phát vào ngày hoặc giờ khác; hãy đổi ngày trong biểu mẫu, hoặc chỉ dời một lượt."
        ),
        NotReached::SameTime(id, time) => {
            format!("{id} đã phát lúc {time} rồi; hãy chọn giờ khác.")
        }
        NotReached::Content(id) => {
            format!("Nội dung của mọi lượt phát được đổi trong biểu mẫu của {id}.")
        }
        NotReached::StandsIn(exception, id) => {
            format!(
                "Ngoại lệ {exception} phát {id} thay chương trình khác; hãy đổi ngoại lệ trước."
            )
        }
        NotReached::Never(error) => format!("Giờ này không bao giờ tới: {error}."),
    }
}

fn login_vi(error: &LoginError) -> String {
    match error {
        LoginError::Wrong => {
            "Sai tên hoặc mật khẩu; hãy gõ lại cả hai, hoặc xin lời mời mới.".to_owned()
        }
        LoginError::WrongCode => {
            "Mã không đúng hoặc đã dùng rồi; hãy chờ mã kế tiếp và xem lại đồng hồ điện thoại."
                .to_owned()
        }
        LoginError::Weak(_) => {
            "Mật khẩu quá ngắn, quá dài hoặc dễ đoán; hãy dùng bốn từ, ít nhất 12 ký tự.".to_owned()
        }
        LoginError::SetAlready(_) => {
            "Mã một lần đã được cài đặt; muốn cài lại, hãy xin quản trị lời mời mới.".to_owned()
        }
        LoginError::NoInvitation => {
            "Lời mời này đã dùng hoặc đã quá ba ngày; hãy xin lời mời mới.".to_owned()
        }
        LoginError::NoSecond(_) => {
            "Bạn chưa cài đặt mã một lần; hãy cài đặt ở trang tài khoản.".to_owned()
        }
        LoginError::Damaged(_) => {
            "Không đọc được khoá của mã một lần; hãy xin quản trị lời mời mới.".to_owned()
        }
    }
}

fn enrol_vi(error: &EnrolError) -> String {
    match error {
        EnrolError::OtherDevice { found, expected } => format!(
            "Tệp này được làm trên {found}, không phải trên {expected}; hãy lấy đúng tệp mà \
             {expected} in ra."
        ),
        EnrolError::NotByCode(controller) => format!(
            "Mã trong hộp của {controller} không ký tệp này; hãy gõ mã mới nhất đã in cho bộ thu đó."
        ),
        EnrolError::NotByKey(controller) => format!(
            "Khoá của {controller} ghi trong tệp không ký tệp này; tệp đã bị sửa trên đường."
        ),
        EnrolError::Used { controller, .. } => format!(
            "Mã của {controller} đã dùng rồi. Nếu không phải bạn, có người khác cầm tờ mã: hãy thu hồi \
             {controller}. Sau đó cấp phát lại."
        ),
        EnrolError::Late { controller, .. } => {
            format!("Mã của {controller} đã hết hạn; hãy cấp phát lại.")
        }
        EnrolError::OtherFingerprint(heard) => format!(
            "Khoá vừa nhận có dấu vân tay khác với {heard}; chưa ghi danh gì. Hãy nhờ thợ đọc lại; nếu \
             vẫn khác, tệp đã bị sửa."
        ),
        EnrolError::Revoked(controller) => format!(
            "{controller} đã bị thu hồi; chỉ khoá gốc lấy lại được: hãy gõ cụm mật khẩu của khoá gốc."
        ),
        EnrolError::NotEnrolled(controller) => format!(
            "{controller} chưa ghi danh khoá, hoặc khoá khác; hãy ghi danh bằng mã trong hộp."
        ),
        EnrolError::NoRequest(controller) => format!(
            "{controller} không xin chứng thư; hãy ghi `certificate` trong [tls] của controller.toml \
             rồi làm lại yêu cầu."
        ),
    }
}

fn denied_vi(denied: &Denied) -> String {
    match denied {
        Denied::Duty { needed, .. } => {
            format!("Bạn không có nhiệm vụ cần cho việc này ({needed}); hãy nhờ quản trị.")
        }
        Denied::Area { held, area, .. } => format!(
            "Bạn chỉ được làm việc này ở {held}, còn đây thuộc {area}; hãy nhờ người phụ trách ở đó."
        ),
    }
}

fn alarm_vi(error: &AlarmError) -> String {
    match error {
        AlarmError::Known(id) => format!("Đã có bản tin khẩn cấp {id}; hãy đặt mã khác."),
        AlarmError::Unknown(id) => format!("Không có bản tin khẩn cấp {id} đang chờ việc này."),
        AlarmError::NoSound(bulletin) => format!(
            "Bản tin {bulletin} chưa có bản ghi khẩn cấp nào được duyệt và còn hiệu lực; \
             hãy ghi âm, nghe lại và duyệt trước."
        ),
        AlarmError::NoArea(area) => format!("Không có địa bàn {area}."),
        AlarmError::Range(_) => {
            "Phát 1 đến 10 lần, cách nhau tối đa 60 giây, kéo dài 1 phút đến 24 giờ, ít nhất một \
             địa bàn."
                .to_owned()
        }
        AlarmError::Same(person) => {
            format!("{person} đã ký rồi; cần một cán bộ khác xác nhận.")
        }
        AlarmError::Late(id) => {
            format!("{id} được bắt đầu quá 15 phút trước; hãy phát lệnh lại với mã khác.")
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.vi.clone()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts a fault into a page for this visitor; any other response is left as it is.
pub(super) fn dressed(mut response: Response, site: &Site, visitor: &Visitor) -> Response {
    let Some(fault) = response.extensions_mut().remove::<Fault>() else { return response };
    let tongue = visitor.tongue;
    let title = tongue.say("Chưa làm được", "That did not work");
    let page = Page {
        frame: Frame::new(site, visitor, title),
        sentence: tongue.say(&fault.vi, &fault.en).to_owned(),
    };
    (fault.status, frame::page(&page)).into_response()
}

#[derive(askama::Template)]
#[template(path = "fault.html")]
struct Page {
    frame: Frame,
    sentence: String,
}
