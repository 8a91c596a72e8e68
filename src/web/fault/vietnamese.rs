//! Every error of the server in Vietnamese, as somebody at a page is told.

use crate::server::ServerError;
use crate::web::fault::{newsroom, refusal};

/// The sentence of an error.
pub(super) fn sentence(error: &ServerError) -> String {
    let said = newsroom::told(error).or_else(|| refused(error)).or_else(|| absent(error));
    said.or_else(|| announced(error)).unwrap_or_else(|| inside(error))
}

/// What has an error of its own.
fn refused(error: &ServerError) -> Option<String> {
    Some(match error {
        ServerError::Login(error) => refusal::login(error),
        ServerError::Enrol(error) => refusal::enrol(error),
        ServerError::Denied(denied) => refusal::denied(denied),
        ServerError::Alarm(error) => refusal::alarm(error),
        ServerError::Sealed(error) => refusal::sealed(error),
        ServerError::Token(error) => refusal::token(error),
        ServerError::Upload(error) => refusal::upload(error),
        ServerError::Edit(error) => refusal::edit(error),
        ServerError::Reach(error) => refusal::reach(error),
        ServerError::Excerpt(error) => refusal::excerpt(error),
        ServerError::Faults(faults) => format!("Tệp lịch có lỗi:\n{faults}"),
        ServerError::Duty(_) => "Nhiệm vụ ghi chưa đúng; hãy chọn trong danh sách.".to_owned(),
        ServerError::Note(_) | ServerError::Trust(_) | ServerError::Envelope(_) => {
            "Văn bản có chữ ký này bị cắt, bị sửa hoặc là văn bản khác; hãy chép lại nguyên văn từ \
             thiết bị."
                .to_owned()
        }
        ServerError::Authority(_) => {
            "Yêu cầu chứng thư không đọc được hoặc thuộc bộ thu khác; hãy \
             làm lại yêu cầu trên chính bộ thu đó."
                .to_owned()
        }
        ServerError::OtherKey { found, expected } => format!(
            "Đây là khoá {found}, cần khoá {expected}; hãy chép đúng văn bản mà thiết bị đó in ra."
        ),
        _ => return None,
    })
}

/// What is not there, or not yet.
fn absent(error: &ServerError) -> Option<String> {
    Some(match error {
        ServerError::NoPerson(id) => {
            format!("Không có ai mang mã {id}; hãy xem danh sách người dùng.")
        }
        ServerError::NoBulletin(id) => {
            format!("Không có bản tin {id}; hãy tìm trong danh sách bản tin.")
        }
        ServerError::NoVersion { bulletin, language } => format!(
            "Bản tin {bulletin} chưa có phiên bản {}; hãy dịch hoặc ghi âm trước.",
            language.name_vi()
        ),
        ServerError::NoArea(id) => format!("Không có địa bàn {id}; hãy chọn trong danh sách."),
        ServerError::NoQuestion(id) => {
            format!("Không có câu hỏi {id}; hãy xem danh sách câu hỏi.")
        }
        ServerError::UnknownController(id) => {
            format!("Không có bộ thu {id} trong lịch; hãy nhờ quản trị thêm vào.")
        }
        ServerError::NoForm(name) => {
            format!("Không có biểu mẫu {name}; hãy chọn trong danh sách biểu mẫu.")
        }
        ServerError::NoTopic(topic) => format!(
            "Đài chưa có lĩnh vực `{topic}`; hãy chọn trong danh sách, hoặc nhờ quản trị thêm."
        ),
        ServerError::NotProvisioned(controller) => {
            format!("Bộ thu {controller} chưa được cấp phát; hãy nhờ quản trị.")
        }
        ServerError::NoKey(path) if path.ends_with("root.json") => {
            "Khoá gốc không có trên máy chủ; hãy cắm thẻ nhớ giữ nó, rồi làm lại.".to_owned()
        }
        ServerError::NoKey(_) => {
            "Bạn chưa có khoá để ký; hãy nhờ quản trị thêm khoá ký cho nhiệm vụ của bạn.".to_owned()
        }
        ServerError::NoPassphrase { .. } => {
            "Nhiệm vụ này cần khoá riêng: hãy gõ cụm mật khẩu của người đó và của khoá gốc."
                .to_owned()
        }
        ServerError::NoTrust => {
            "Đài chưa có danh mục khoá đã ký; hãy nhờ quản trị phục hồi bản sao lưu.".to_owned()
        }
        ServerError::Held(reason) => format!(
            "Đang có lệnh lưu giữ nên không xoá được gì: {reason}. Muốn xoá, hãy gỡ lệnh ở trang Người \
             dùng trước."
        ),
        ServerError::StillOnDuty(person) => {
            format!("{person} còn nhiệm vụ; hãy lấy lại mọi nhiệm vụ của người đó trước.")
        }
        _ => return None,
    })
}

/// What a commune announces, decides and sees to.
fn announced(error: &ServerError) -> Option<String> {
    Some(match error {
        ServerError::NotOpen(_) => {
            "Câu hỏi này không còn; hai chương trình không còn trùng giờ.".to_owned()
        }
        ServerError::NotAsked { first, .. } => {
            format!("{first} không phải một trong hai chương trình trùng giờ; hãy chọn lại.")
        }
        ServerError::DecidedLate { deadline, .. } => {
            format!("Đã quá hạn quyết định ({deadline}); thứ tự mặc định được giữ.")
        }
        ServerError::NoRecording => "Không còn bản ghi này; hãy ghi âm hoặc chọn lại.".to_owned(),
        ServerError::Recording { .. } => {
            "Không đọc được tệp âm thanh này; hãy chọn tệp khác hoặc ghi lại.".to_owned()
        }
        ServerError::AnnouncementTime => {
            "Thông báo phải phát trong 7 ngày tới; hãy chọn giờ khác.".to_owned()
        }
        ServerError::DoesNotFit { vi, .. } => format!("Không phát được vào giờ đó. {vi}"),
        ServerError::AnnouncedAlready(_) => {
            "Thông báo này đã tới giờ phát rồi; muốn phát lại, hãy làm thông báo mới.".to_owned()
        }
        ServerError::AnnouncementWithdrawn(_) => {
            "Thông báo này đã được thu hồi; muốn phát, hãy làm thông báo mới.".to_owned()
        }
        ServerError::NoFault(_) => "Loa này không có lỗi nào; hãy mở lại trang.".to_owned(),
        ServerError::MaintenanceLength => {
            "Bảo trì kéo dài nhiều nhất 14 ngày; hãy chọn thời gian khác.".to_owned()
        }
        ServerError::Unwell { vi, .. } => vi.clone(),
        _ => return None,
    })
}

/// What somebody at a page cannot mend; what went wrong is in the server's own lines.
fn inside(error: &ServerError) -> String {
    match error {
        ServerError::Store(_)
        | ServerError::Vault(_)
        | ServerError::Log(_)
        | ServerError::Task(_) => "Máy chủ chưa trả lời được; hãy thử lại sau ít phút.".to_owned(),
        other => format!("Không làm được; hãy báo quản trị câu này của máy chủ: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Action, Duties};
    use crate::schedule::edit::NotEdited;
    use crate::server::{LoginError, TokenError};
    use crate::vault::SealedError;

    fn id<T: std::str::FromStr>(text: &str) -> T
    where
        T::Err: std::fmt::Debug,
    {
        text.parse().unwrap()
    }

    fn refusals() -> Vec<ServerError> {
        let denied = |duties: &str, place: &[crate::id::AreaId]| {
            let duties: Duties = duties.parse().unwrap();
            duties.allow("lan", Action::Announce, place).unwrap_err()
        };
        let step = || crate::bulletin::version::StepRefused::ReviewedByAnnouncer(id("lan"));
        vec![
            denied("inspector", &[]).into(),
            denied("operator@mu-ca", &[]).into(),
            denied("operator@mu-ca,operator@ka-lang", &[id("lai-chau")]).into(),
            LoginError::Wrong.into(),
            LoginError::NoSecond(id("lan")).into(),
            TokenError::Known(id("bang-tin")).into(),
            TokenError::Unknown(id("bang-tin")).into(),
            TokenError::Many(id("lan")).into(),
            TokenError::Full.into(),
            SealedError::Short.into(),
            NotEdited::TooMany.into(),
            step().into(),
            ServerError::NoPerson(id("lan")),
            ServerError::NoBulletin(id("tin")),
            ServerError::NoVersion { bulletin: id("tin"), language: id("hni") },
            ServerError::NoArea(id("mu-ca")),
            ServerError::NoQuestion(id("hoi-1")),
            ServerError::UnknownController(id("mu-ca-1")),
            ServerError::NotProvisioned(id("mu-ca-1")),
            ServerError::NoForm("tuan".to_owned()),
            ServerError::Held("vụ kiện".to_owned()),
            ServerError::StillOnDuty(id("lan")),
            ServerError::NoKey("keys/root.json".into()),
            ServerError::NoPassphrase { what: "their key", person: id("lan") },
            ServerError::NoTrust,
            ServerError::NoRecording,
            ServerError::Recording { path: "a.wav".into(), why: "it is a picture".to_owned() },
            ServerError::Task("the pump ended".to_owned()),
            ServerError::Store(crate::store::StoreError::Corrupt {
                table: "person",
                why: "a word is missing".to_owned(),
            }),
        ]
    }

    #[test]
    fn no_refusal_that_an_official_may_meet_has_an_english_word() {
        let english = [
            "the", "is", "of", "and", "or", "there", "not", "station", "operator", "leader", "here",
        ];
        for error in refusals() {
            let said = sentence(&error);
            let words = said.split(|c: char| !c.is_alphanumeric() && c != '-');
            let found: Vec<&str> = words.filter(|word| english.contains(word)).collect();
            assert_eq!(found, Vec::<&str>::new(), "{said}");
            assert!(said.ends_with(['.', '`']), "{said}");
        }
    }
}
