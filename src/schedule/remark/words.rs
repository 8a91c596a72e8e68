//! The sentences of remarks, in English and in Vietnamese: what is so, and what would mend it.

use std::fmt;

use super::{Missing, Reason};

impl Missing {
    fn en(self) -> &'static str {
        match self {
            Self::NotMade => "there is no version; have it translated and recorded",
            Self::Draft => "the version is a draft; listen back to it and have it approved",
            Self::InReview => "the version waits for approval; approve it",
            Self::Withdrawn => "the version was withdrawn; record and approve a new one",
            Self::ApprovedLater => "the version is approved after the airing begins; air it later",
        }
    }

    fn vi(self) -> &'static str {
        match self {
            Self::NotMade => "chưa có phiên bản; hãy dịch và thu âm",
            Self::Draft => "phiên bản mới là bản nháp; hãy nghe lại rồi trình duyệt",
            Self::InReview => "phiên bản đang chờ duyệt; hãy duyệt",
            Self::Withdrawn => "phiên bản đã bị thu hồi; hãy thu âm và duyệt bản mới",
            Self::ApprovedLater => "phiên bản được duyệt sau giờ phát; hãy phát muộn hơn",
        }
    }
}

impl Reason {
    /// The sentence in Vietnamese.
    pub fn vi(&self) -> String {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => state.vi().to_owned(),
            Self::FellBack => {
                "phát bằng ngôn ngữ dự phòng; hãy làm phiên bản mà thôn bản yêu cầu".to_owned()
            }
            Self::UnknownBulletin => {
                "chương trình nêu tên nhưng không có bản tin này; hãy tạo hoặc bỏ đi".to_owned()
            }
            Self::NotYetValid { from } => {
                format!("bản tin chỉ có hiệu lực từ {from}; hãy phát sau lúc đó")
            }
            Self::Expired { until } => format!(
                "bản tin hết hiệu lực lúc {until}; hãy phát sớm hơn, rút ngắn, hoặc gia hạn"
            ),
            Self::Cut { length_max_s } => format!(
                "không đủ chỗ trong {length_max_s} giây; hãy tăng `length_max_s` hoặc bớt bản tin"
            ),
            Self::NotAsked => {
                "thôn bản không yêu cầu ngôn ngữ nào ở đây; hãy sửa `languages`".to_owned()
            }
            Self::NothingToAir => {
                "không còn gì để phát; hãy duyệt một bản tin cho chương trình này".to_owned()
            }
            Self::NoProfile => {
                "chưa khai báo ngôn ngữ cho địa bàn; hãy thêm `listens` cho thôn bản hoặc \
                 cấp trên"
                    .to_owned()
            }
            Self::NoPolicy => {
                "chưa có khung giờ phát cho địa bàn; hãy khai báo cho xã hoặc cấp trên".to_owned()
            }
            Self::OutsideWindow => {
                "ngoài khung giờ phát; hãy dời giờ hoặc mở rộng khung giờ".to_owned()
            }
            Self::RunsPastWindow { closes } => format!(
                "phát quá khung giờ, vốn đóng lúc {closes}; hãy bắt đầu sớm hơn hoặc rút ngắn"
            ),
            Self::SessionTooLong { minutes_max } => format!(
                "dài hơn {minutes_max} phút cho một lượt phát; hãy đặt `length_max_s` hoặc bớt \
                 bản tin"
            ),
            Self::TooManySessions { sessions_max } => format!(
                "ngày đó đã đủ {sessions_max} lượt phát; hãy bớt một chương trình hoặc nâng hạn \
                 mức"
            ),
            Self::DayFull { minutes_max } => format!(
                "vượt quá {minutes_max} phút phát trong ngày; hãy rút ngắn một chương trình hoặc \
                 nâng hạn mức"
            ),
            Self::Collision { winner } => format!(
                "trùng giờ với chương trình {winner} được ưu tiên hơn; hãy dời một trong hai"
            ),
            Self::Decision { winner } => {
                format!("xã quyết định bản tin ưu tiên nào phát trước; mặc định là {winner}")
            }
            Self::NoAudience => {
                "không có bộ thu nào trong địa bàn của chương trình; hãy kiểm tra `areas` \
                 và `minus_areas`"
                    .to_owned()
            }
        }
    }
}

impl fmt::Display for Reason {
    /// The sentence in English.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingLanguage { state } | Self::NotApproved { state } => {
                f.write_str(state.en())
            }
            Self::FellBack => {
                f.write_str("heard in the fallback; make a version that the village asked for")
            }
            Self::UnknownBulletin => {
                f.write_str("the programme names it but it does not exist; make it or drop it")
            }
            Self::NotYetValid { from } => {
                write!(f, "the bulletin holds only from {from}; air it after that")
            }
            Self::Expired { until } => write!(
                f,
                "the bulletin ends at {until}; air it earlier, shorten it, or let it hold longer"
            ),
            Self::Cut { length_max_s } => write!(
                f,
                "does not fit into {length_max_s} s; raise `length_max_s` or take a bulletin out"
            ),
            Self::NotAsked => {
                f.write_str("the village asks for none of these languages; mend `languages`")
            }
            Self::NothingToAir => {
                f.write_str("nothing is left to air; approve a bulletin for this programme")
            }
            Self::NoProfile => f.write_str(
                "nobody says what this area listens to; add `listens` to it or to an area above",
            ),
            Self::NoPolicy => f.write_str(
                "nobody says when this area allows sound; add a policy to it or to an area above",
            ),
            Self::OutsideWindow => {
                f.write_str("outside the hours of the airtime policy; move it or widen a window")
            }
            Self::RunsPastWindow { closes } => write!(
                f,
                "runs past the window, which closes at {closes}; begin earlier or shorten it"
            ),
            Self::SessionTooLong { minutes_max } => write!(
                f,
                "longer than the {minutes_max} min of one airing; set `length_max_s` or take a \
                 bulletin out"
            ),
            Self::TooManySessions { sessions_max } => write!(
                f,
                "the day has its {sessions_max} airings; drop a programme or raise the limit"
            ),
            Self::DayFull { minutes_max } => write!(
                f,
                "more than the {minutes_max} min of a day; shorten a programme or raise the limit"
            ),
            Self::Collision { winner } => write!(
                f,
                "programme {winner} is there at that time and goes first; move one of them"
            ),
            Self::Decision { winner } => write!(
                f,
                "the commune decides which priority bulletin goes first; until then {winner} does"
            ),
            Self::NoAudience => f.write_str(
                "no controller stands where the programme is heard; check `areas` and \
                 `minus_areas`",
            ),
        }
    }
}
