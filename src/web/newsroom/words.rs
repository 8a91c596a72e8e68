//! What people call the kinds, classes and sources of bulletins.

use crate::bulletin::question::Channel;
use crate::bulletin::version::Voice;
use crate::bulletin::{Class, Kind, SourceLevel};
use crate::web::tongue::Tongue;

pub(super) fn kind(kind: Kind, tongue: Tongue) -> &'static str {
    match kind {
        Kind::News => tongue.say("tin", "news"),
        Kind::Report => tongue.say("phóng sự", "report"),
        Kind::QuestionAndAnswer => tongue.say("hỏi đáp", "question and answer"),
        Kind::ShortPlay => tongue.say("tiểu phẩm", "short play"),
        Kind::Notice => tongue.say("thông báo", "notice"),
    }
}

pub(super) fn class(class: Class, tongue: Tongue) -> &'static str {
    match class {
        Class::Normal => tongue.say("thông thường", "normal"),
        Class::Priority => tongue.say("ưu tiên", "priority"),
        Class::Emergency => tongue.say("khẩn cấp", "emergency"),
    }
}

pub(super) fn source(level: SourceLevel, tongue: Tongue) -> &'static str {
    match level {
        SourceLevel::Commune => tongue.say("xã", "commune"),
        SourceLevel::Province => tongue.say("tỉnh", "province"),
        SourceLevel::Central => tongue.say("trung ương", "central"),
    }
}

pub(super) fn voice(voice: Voice, tongue: Tongue) -> &'static str {
    match voice {
        Voice::Human => tongue.say("giọng người", "a human voice"),
        Voice::Synthetic => tongue.say("giọng tổng hợp", "a synthetic voice"),
        Voice::StandIn => tongue.say(
            "bản thay thế tổng hợp, không phải tiếng nói thật của ngôn ngữ này",
            "a synthetic stand-in, not real speech in this language",
        ),
    }
}

pub(super) fn channel(channel: Channel, tongue: Tongue) -> &'static str {
    match channel {
        Channel::Form => tongue.say("phiếu", "form"),
        Channel::Phone => tongue.say("điện thoại", "telephone"),
        Channel::Paper => tongue.say("thư, giấy", "letter"),
    }
}
