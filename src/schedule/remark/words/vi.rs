//! The words of remarks in Vietnamese.

use super::super::{Missing, Reason};
use crate::schedule::ITEMS_MAX;

impl Missing {
    fn what_vi(self) -> &'static str {
        match self {
            Self::NotMade => "chưa có phiên bản",
            Self::Draft => "phiên bản mới là bản nháp",
            Self::InReview => "phiên bản đang chờ duyệt",
            Self::Withdrawn => "phiên bản đã bị thu hồi",
            Self::ApprovedLater => "phiên bản được duyệt sau giờ phát",
        }
    }

    fn mend_vi(self) -> &'static str {
        match self {
            Self::NotMade => "hãy dịch và thu âm",
            Self::Draft => "hãy nghe lại rồi trình duyệt",
            Self::InReview => "hãy duyệt",
            Self::Withdrawn => "hãy thu âm và duyệt bản mới",
            Self::ApprovedLater => "hãy phát muộn hơn",
        }
    }
}

impl Reason {
    /// What is so, in Vietnamese.
    pub fn what_vi(&self) -> String {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => state.what_vi().into(),
            Self::FellBack => "phát bằng ngôn ngữ dự phòng".into(),
            Self::UnknownBulletin => "chương trình nêu tên nhưng không có bản tin này".into(),
            Self::NotYetValid { from } => format!("bản tin chỉ có hiệu lực từ {}", from.vi()),
            Self::Expired { until } => format!("bản tin hết hiệu lực lúc {}", until.vi()),
            Self::Cut { length_max_s } => format!("không đủ chỗ trong {length_max_s} giây"),
            Self::TooManyItems => format!("một lượt phát chỉ có {ITEMS_MAX} mục"),
            Self::NotAsked => "thôn bản không yêu cầu ngôn ngữ nào ở đây".into(),
            Self::NothingToAir => "không còn gì để phát".into(),
            Self::NoProfile => "chưa khai báo ngôn ngữ cho địa bàn".into(),
            Self::NoPolicy => "chưa có khung giờ phát cho địa bàn".into(),
            Self::OutsideWindow => "ngoài khung giờ phát".into(),
            Self::RunsPastWindow { closes } => {
                format!("phát quá khung giờ, vốn đóng lúc {}", closes.vi())
            }
            Self::QuietHours { from } => format!("sẽ phát vào giờ yên lặng lúc {}", from.vi()),
            Self::SessionTooLong { minutes_max } => {
                format!("dài hơn {minutes_max} phút cho một lượt phát")
            }
            Self::TooManySessions { sessions_max } => {
                format!("ngày đó đã đủ {sessions_max} lượt phát")
            }
            Self::WeekFull { days_max } => format!("tuần đó đã đủ {days_max} ngày có phát"),
            Self::DayFull { minutes_max } => {
                format!("vượt quá {minutes_max} phút phát trong ngày")
            }
            Self::Collision { winner } => {
                format!("trùng giờ với chương trình {winner} được ưu tiên hơn")
            }
            Self::Decision { deadline, default, .. } => format!(
                "xã quyết định trước {} bản tin ưu tiên nào phát trước; nếu không ai \
                 quyết định thì {default} phát trước",
                deadline.vi()
            ),
            Self::Decided { winner, by, at, .. } => {
                format!("{by} đã quyết định lúc {} cho {winner} phát trước", at.vi())
            }
            Self::DecisionLate { by, at, deadline, .. } => {
                format!("{by} quyết định lúc {}, sau hạn {}", at.vi(), deadline.vi())
            }
            Self::DecisionStale { decision, by } => {
                format!("{by} đã quyết định {decision} nhưng hai chương trình không còn trùng giờ")
            }
            Self::Skipped { name, .. } => format!("không phát vì {name}"),
            Self::Moved { name, from, .. } => format!("dời từ {} vì {name}", from.vi()),
            Self::Replaced { name, .. } => format!("thay nội dung vì {name}"),
            Self::ExceptionYields { name, to, .. } => format!("{name} nhường cho {to}"),
            Self::NoAudience => "không có bộ thu nào trong địa bàn của chương trình".into(),
        }
    }

    /// What would mend it, in Vietnamese.
    pub fn mend_vi(&self) -> String {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => state.mend_vi().into(),
            Self::FellBack => "hãy làm phiên bản mà thôn bản yêu cầu".into(),
            Self::UnknownBulletin => "hãy tạo hoặc bỏ đi".into(),
            Self::NotYetValid { .. } => "hãy phát sau lúc đó".into(),
            Self::Expired { .. } => "hãy phát sớm hơn, rút ngắn, hoặc gia hạn".into(),
            Self::Cut { .. } => "hãy tăng độ dài tối đa (`length_max_s`) hoặc bớt bản tin".into(),
            Self::TooManyItems => "hãy bớt bản tin hoặc tách chương trình".into(),
            Self::NotAsked => "hãy sửa ngôn ngữ của chương trình (`languages`)".into(),
            Self::NothingToAir => "hãy duyệt một bản tin cho chương trình này".into(),
            Self::NoProfile => "hãy khai báo ngôn ngữ nghe (`listens`) cho thôn bản hoặc cấp trên".into(),
            Self::NoPolicy => "hãy khai báo cho xã hoặc cấp trên".into(),
            Self::OutsideWindow => "hãy dời giờ hoặc mở rộng khung giờ".into(),
            Self::RunsPastWindow { .. } => "hãy bắt đầu sớm hơn hoặc rút ngắn".into(),
            Self::QuietHours { .. } => "hãy dời giờ, rút ngắn, hoặc đổi giờ yên lặng".into(),
            Self::SessionTooLong { .. } => "hãy đặt độ dài tối đa (`length_max_s`) hoặc bớt bản tin".into(),
            Self::TooManySessions { .. } => "hãy bớt một chương trình hoặc nâng hạn mức".into(),
            Self::WeekFull { .. } => "hãy chọn ngày khác hoặc tăng số ngày mỗi tuần (`days_a_week_max`)".into(),
            Self::DayFull { .. } => "hãy rút ngắn một chương trình hoặc nâng hạn mức".into(),
            Self::Collision { .. } => "hãy dời một trong hai".into(),
            Self::Decision { decision, .. } => {
                format!(
                    "hãy quyết định ở trang của xã, hoặc `loaban schedule decide {decision} --first \
                     CHƯƠNG_TRÌNH`"
                )
            }
            Self::Decided { .. } => "hãy quyết định lại trước hạn, hoặc dời một trong hai".into(),
            Self::DecisionLate { .. } => {
                "hãy dời một trong hai; lần sau quyết định trước hạn".into()
            }
            Self::DecisionStale { .. } => "không cần làm gì".into(),
            Self::Skipped { exception, .. } => format!("hãy sửa ngoại lệ `{exception}` để phát"),
            Self::Moved { exception, .. } | Self::Replaced { exception, .. } => {
                format!("hãy sửa ngoại lệ `{exception}` để trở lại như thường lệ")
            }
            Self::ExceptionYields { exception, .. } => {
                format!("hãy sửa ngày hoặc địa bàn của ngoại lệ `{exception}` nếu muốn áp dụng")
            }
            Self::NoAudience => {
                "hãy kiểm tra địa bàn, nhãn và ngôn ngữ nghe của chương trình (`areas`, `minus_areas`, \
                 `only_tags`, `only_listening`)"
                    .into()
            }
        }
    }
}
