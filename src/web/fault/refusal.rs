//! Refusals that have errors of their own, in Vietnamese: signing in, duties, tokens, devices,
//! emergencies, programmes, uploads.

use crate::access::Denied;
use crate::id::AreaId;
use crate::schedule::edit::{NotEdited, NotReached};
use crate::schedule::excerpt::NoExcerpt;
use crate::server::{AlarmError, EnrolError, LoginError, TokenError, UploadError};
use crate::vault::SealedError;
use crate::web::duty;
use crate::web::tongue::Tongue;

pub(super) fn login(error: &LoginError) -> String {
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

pub(super) fn denied(denied: &Denied) -> String {
    match denied {
        Denied::Duty { needed, .. } => format!(
            "Bạn không có nhiệm vụ cần cho việc này ({}); hãy nhờ quản trị.",
            duty::any_of(needed, Tongue::Vi)
        ),
        Denied::Area { held, area, .. } => {
            let held: Vec<&str> = held.iter().map(AreaId::as_str).collect();
            format!(
                "Bạn chỉ được làm việc này ở {}, còn đây thuộc {}; hãy nhờ người phụ trách ở đó.",
                held.join(", "),
                area.as_ref().map_or("cả đài", AreaId::as_str)
            )
        }
    }
}

pub(super) fn token(error: &TokenError) -> String {
    match error {
        TokenError::Known(name) => format!(
            "Đã có, hoặc từng có, mã truy cập tên {name}; hãy đặt tên khác, vì nhật ký biết mã theo tên."
        ),
        TokenError::Unknown(name) => {
            format!("Không có mã truy cập {name} nào còn hiệu lực; hãy mở lại trang.")
        }
        TokenError::Beyond { person, scope } => format!(
            "{person} không được làm việc `{scope}` ở đâu cả; hãy bỏ việc đó, hoặc giao nhiệm vụ trước."
        ),
        TokenError::Many(person) => {
            format!("{person} đã có đủ số mã truy cập cho phép; hãy thu hồi mã không dùng nữa.")
        }
        TokenError::Full => {
            "Đài đã có đủ số mã truy cập cho phép; hãy thu hồi mã không ai dùng.".to_owned()
        }
    }
}

pub(super) fn sealed(error: &SealedError) -> String {
    match error {
        SealedError::Short => {
            "Cụm mật khẩu phải có ít nhất 12 ký tự; hãy chọn từ bốn từ trở lên.".to_owned()
        }
        SealedError::Wrong(_) => "Cụm mật khẩu không mở được khoá của bạn; hãy gõ lại.".to_owned(),
        SealedError::Unreadable(key, _) => {
            format!("Tệp khoá {key} đã hỏng; hãy nhờ quản trị phục hồi bản sao lưu.")
        }
    }
}

pub(super) fn enrol(error: &EnrolError) -> String {
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

pub(super) fn alarm(error: &AlarmError) -> String {
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

pub(super) fn edit(error: &NotEdited) -> String {
    match error {
        NotEdited::Faults(faults) => format!("Lịch sẽ không đọc được:\n{faults}"),
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

pub(super) fn reach(error: &NotReached) -> String {
    match error {
        NotReached::NoSlot(id, date) => {
            format!("{id} không phát vào ngày {}; hãy mở lại lịch tuần.", date.vi())
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
        NotReached::Never(error) => format!("Giờ phát chưa được: {}.", error.vi()),
    }
}

pub(super) fn excerpt(error: &NoExcerpt) -> String {
    match error {
        NoExcerpt::Unknown { vi, wanted, near, .. } => {
            format!("Không có {vi} `{wanted}`; gần giống: {near}.")
        }
        NoExcerpt::Days { from, to, begin } => format!(
            "Không lập được lịch từ {} đến {} một lần, tính từ {}; hãy chọn ngày khác.",
            from.vi(),
            to.vi(),
            begin.vi()
        ),
    }
}

pub(super) fn upload(error: &UploadError) -> String {
    match error {
        UploadError::Length(_) => {
            "Bản ghi trống hoặc quá lớn; hãy cắt ngắn hoặc nén lại.".to_owned()
        }
        UploadError::Full => {
            "Đang có quá nhiều bản ghi gửi dở; hãy gửi cho xong hoặc xoá bớt.".to_owned()
        }
        UploadError::Unknown(_) => {
            "Không còn lần gửi này: đã dùng, đã xoá hoặc quá một ngày; hãy gửi lại từ đầu."
                .to_owned()
        }
        UploadError::Offset { at, .. } => {
            format!("Máy chủ đã nhận {at} byte; hãy gửi tiếp từ đó.")
        }
        UploadError::Over(length) => {
            format!("Gửi nhiều hơn {length} byte đã báo; hãy gửi lại với độ dài đúng.")
        }
        UploadError::Busy(_) => {
            "Một yêu cầu khác đang gửi bản ghi này; hãy chờ nó xong.".to_owned()
        }
        UploadError::Damaged { .. } => "Bản ghi bị hỏng trên đường gửi; hãy gửi lại.".to_owned(),
        UploadError::Unfinished { at, length, .. } => {
            format!("Bản ghi mới tới {at} trong {length} byte; hãy gửi nốt.")
        }
    }
}
