//! What the newsroom refuses, in Vietnamese.

use crate::bulletin::version::StepRefused;
use crate::server::ServerError;

/// The English sentence where the error itself names a file, which a page does not.
pub(super) fn told_en(error: &ServerError) -> Option<String> {
    let ServerError::Unusable { problems, .. } = error else { return None };
    let sentences: Vec<&str> = problems.iter().map(|one| one.en.as_str()).collect();
    Some(sentences.join(" "))
}

/// The sentence of an error of the newsroom; none for any other.
pub(super) fn told(error: &ServerError) -> Option<String> {
    let sentence = match error {
        ServerError::Changed { .. } => "Người khác vừa thay đổi mục này trong lúc bạn đang mở; \
             hãy xem bản mới rồi làm lại. Những gì bạn gõ vẫn còn."
            .to_owned(),
        ServerError::Signed { languages, .. } => format!(
            "Bản tin đã được duyệt bằng {languages}: loại tin, địa bàn và thời hạn đã ký, không đổi \
             được nữa. Hãy để nguyên ba mục đó, hoặc nhờ lãnh đạo thu hồi các phiên bản ấy trước."
        ),
        ServerError::Validity => {
            "Hết hạn phải sau lúc bắt đầu, trong vòng 366 ngày; hãy chọn lại.".to_owned()
        }
        ServerError::AnnouncedSo(_) => "Đây là thông báo của xã: loại tin, địa bàn và thời hạn đi \
             theo thông báo; hãy để nguyên, hoặc làm thông báo khác."
            .to_owned(),
        ServerError::WrongState { step, .. } => wrong_state(step).to_owned(),
        ServerError::Step(refused) => step(refused).to_owned(),
        ServerError::BulletinExists(id) => {
            format!("Đã có bản tin mang mã {id}; hãy đặt mã khác.")
        }
        ServerError::NoLanguage(tag) => {
            format!("Đài chưa có ngôn ngữ {tag}; hãy chọn ngôn ngữ khác, hoặc nhờ quản trị thêm.")
        }
        ServerError::Unlisted(_) => "Chuyên mục, lĩnh vực, đợt tuyên truyền hoặc địa bàn không có \
             trong danh mục của đài; hãy chọn lại trong danh sách."
            .to_owned(),
        ServerError::Unusable { problems, .. } => {
            let sentences: Vec<&str> = problems.iter().map(|one| one.vi.as_str()).collect();
            sentences.join(" ")
        }
        ServerError::Unanswered(_) => {
            "Câu hỏi này chưa có câu trả lời; hãy trả lời trước, hoặc đóng kèm lý do.".to_owned()
        }
        ServerError::QuestionClosed { .. } => {
            "Câu hỏi này đã đóng; nếu cần, hãy ghi thành câu hỏi mới.".to_owned()
        }
        ServerError::NoAnswerBulletin(_) => {
            "Bản tin đó không thuộc thể loại hỏi đáp; hãy chọn tin khác, hoặc ghi lý do.".to_owned()
        }
        _ => return None,
    };
    Some(sentence)
}

fn wrong_state(step: &str) -> &'static str {
    match step {
        "contribute" | "translate" | "record" => {
            "Phiên bản này đã được duyệt; muốn thay đổi, hãy nhờ lãnh đạo thu hồi trước."
        }
        "review" => "Phiên bản này không còn chờ nghe thẩm định; hãy mở lại trang.",
        "approve" => "Phiên bản này không còn chờ duyệt; hãy mở lại trang.",
        "withdraw" => "Phiên bản này chưa được duyệt hoặc đã thu hồi; hãy mở lại trang.",
        _ => "Bước này không làm được ở trạng thái hiện tại; hãy mở lại trang.",
    }
}

fn step(refused: &StepRefused) -> &'static str {
    match refused {
        StepRefused::ReviewedByAnnouncer(_) => {
            "Bạn là người đọc bản ghi này; phải có người khác nghe thẩm định."
        }
        StepRefused::ApprovedByAnnouncer(_) => {
            "Bạn là người đọc bản ghi này; phải có lãnh đạo khác duyệt."
        }
        StepRefused::ApprovedByReviewer(_) => {
            "Bạn đã nghe thẩm định bản này; phải có lãnh đạo khác duyệt."
        }
    }
}
