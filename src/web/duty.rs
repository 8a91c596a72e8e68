//! What duties and acts are called at the pages.

use crate::access::{Action, Duties, Duty};
use crate::fleet::AreaTree;
use crate::web::tongue::Tongue;

/// A duty.
pub(super) fn name(duty: Duty, tongue: Tongue) -> &'static str {
    match duty {
        Duty::Contributor => tongue.say("cộng tác viên", "contributor"),
        Duty::Announcer => tongue.say("phát thanh viên", "announcer"),
        Duty::Reviewer => tongue.say("người nghe thẩm định", "reviewer"),
        Duty::Leader => tongue.say("lãnh đạo duyệt", "leader"),
        Duty::Officer => tongue.say("cán bộ trực khẩn cấp", "emergency officer"),
        Duty::Operator => tongue.say("cán bộ văn hoá xã", "commune operator"),
        Duty::Inspector => tongue.say("cán bộ thanh tra, kiểm tra", "inspector"),
        Duty::Administrator => tongue.say("quản trị hệ thống", "administrator"),
    }
}

/// A duty, with what whoever gives it should know.
pub(super) fn offered(duty: Duty, tongue: Tongue) -> String {
    let more = match duty {
        Duty::Contributor => tongue.say("nộp lời bản tin", "hands in texts"),
        Duty::Announcer => tongue.say("dịch, ghi âm", "translates, records"),
        Duty::Reviewer => tongue.say("nghe lại bản ghi", "listens back"),
        Duty::Leader | Duty::Officer => tongue.say("ký bằng khoá riêng", "signs with a key"),
        Duty::Operator => tongue.say("trông loa của xã", "sees to a commune's loudspeakers"),
        Duty::Inspector => tongue.say("chỉ xem", "reads only"),
        Duty::Administrator => tongue.say("người dùng, bộ thu", "people, controllers"),
    };
    format!("{} ({more})", name(duty, tongue))
}

/// Some duties, of which one is needed.
pub(super) fn any_of(duties: &[Duty], tongue: Tongue) -> String {
    let names: Vec<&str> = duties.iter().map(|duty| name(*duty, tongue)).collect();
    names.join(tongue.say(" hoặc ", " or "))
}

/// A person's duties, each with its place.
pub(super) fn held(duties: &Duties, tree: &AreaTree, tongue: Tongue) -> String {
    let one = |(duty, area): (Duty, Option<&crate::id::AreaId>)| {
        let duty = name(duty, tongue);
        match area {
            Some(area) => {
                let held = tree.get(area).map_or(area.as_str(), |held| held.name.as_str());
                format!("{duty} – {held}")
            }
            None => duty.to_owned(),
        }
    };
    let words: Vec<String> = duties.iter().map(one).collect();
    words.join("; ")
}

/// What a person or a program may do.
pub(super) fn act(action: Action, tongue: Tongue) -> &'static str {
    match action {
        Action::Watch => tongue.say("xem loa, số liệu, nhật ký", "see speakers, figures, the log"),
        Action::Read => tongue.say("đọc bản tin, chương trình", "read bulletins, programmes"),
        Action::Contribute => tongue.say("nộp lời bản tin", "hand in texts"),
        Action::Translate => tongue.say("ghi lời dịch", "translate texts"),
        Action::Record => tongue.say("nộp bản ghi âm của phiên bản", "hand in recordings"),
        Action::Review => tongue.say("nghe thẩm định, trả lại", "review, return"),
        Action::Approve => tongue.say(
            "duyệt, thu hồi (vẫn cần cụm mật khẩu của khoá)",
            "approve, withdraw (still asks for the key's passphrase)",
        ),
        Action::Alarm => tongue.say(
            "phát, xác nhận, huỷ khẩn cấp (vẫn cần cụm mật khẩu của khoá)",
            "raise, confirm, cancel emergencies (still asks for the key's passphrase)",
        ),
        Action::Order => tongue.say("ra lệnh cho loa", "give orders to loudspeakers"),
        Action::TakeQuestion => tongue.say("ghi câu hỏi của người dân", "take down questions"),
        Action::Answer => tongue.say("trả lời câu hỏi", "answer questions"),
        Action::ChangeFleet => {
            tongue.say("đổi địa bàn, bộ thu, danh mục", "change areas, controllers, lists")
        }
        Action::Decide => tongue.say("quyết định thứ tự phát của xã", "decide a commune's order"),
        Action::Invite => tongue.say("thêm và mời người dùng", "add and invite people"),
        Action::Attend => tongue.say("nhận lỗi, báo bảo trì", "take care of faults"),
        Action::Announce => tongue.say("làm thông báo của xã", "make announcements"),
        Action::Upload => tongue.say("gửi bản ghi âm lên máy chủ", "send recordings in"),
        Action::Listen => tongue.say("nghe bản ghi chưa duyệt", "hear recordings not yet approved"),
        Action::Programme => {
            tongue.say("đổi chương trình, ngoại lệ", "change programmes, exceptions")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_duties_and_no_two_acts_have_one_name() {
        for tongue in [Tongue::Vi, Tongue::En] {
            let duties: std::collections::BTreeSet<_> =
                Duty::ALL.into_iter().map(|duty| name(duty, tongue)).collect();
            assert_eq!(duties.len(), Duty::ALL.len());
            let acts: std::collections::BTreeSet<_> =
                Action::ALL.into_iter().map(|action| act(action, tongue)).collect();
            assert_eq!(acts.len(), Action::ALL.len());
        }
    }
}
