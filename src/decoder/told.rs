//! Tells the person who sent a recording why it was not decoded, or what was wrong with it, in the words and the
//! form of [`crate::audio::report`].
//!
//! **Every refusal has a sentence in Vietnamese and in English**, whichever room it came from.

use super::{DecodeError, Warning};
use crate::audio::chain::ChainError;
use crate::audio::report::{self, Problem, Report, Verdict};

/// The report of a recording that the chain or its decoder refused.
#[must_use]
pub fn refused(error: &ChainError<DecodeError>) -> Report {
    let (code, vi) = match error {
        ChainError::Refused(refusal) => return report::refused(*refusal),
        ChainError::Source(error) => (error.code(), vietnamese(error)),
        ChainError::Scratch(_) => (
            "scratch",
            "Không giữ được bản sao tạm của âm thanh; hãy giải phóng ổ đĩa rồi thử lại.".to_owned(),
        ),
        ChainError::Rate(_) => (
            "sample-rate",
            "Không dùng được tần số lấy mẫu này; hãy lưu bản ghi ở 48000 Hz rồi gửi lại."
                .to_owned(),
        ),
        ChainError::Wave(_) => {
            ("wav", "Không ghi được tệp WAV; hãy giải phóng ổ đĩa rồi thử lại.".to_owned())
        }
        ChainError::Encode(_) | ChainError::Verify(_) => {
            ("codec", "Không mã hoá được âm thanh; hãy báo người quản trị kèm tệp này.".to_owned())
        }
    };
    let en = match error {
        // Its own sentence says what to do; that the recording could not be read goes without saying.
        ChainError::Source(error) => error.to_string(),
        other => other.to_string(),
    };
    let en = report::sentence(&en);
    Report::new(vec![Problem { code, verdict: Verdict::RecordAgain, vi, en }])
}

/// Whether the recording is at fault, and not the machine or the name that was given.
#[must_use]
pub const fn at_fault(error: &ChainError<DecodeError>) -> bool {
    !matches!(
        error,
        ChainError::Source(DecodeError::Open { .. } | DecodeError::Start { .. })
            | ChainError::Scratch(_)
            | ChainError::Wave(_)
            | ChainError::Encode(_)
            | ChainError::Verify(_)
    )
}

/// The report with what the decoder met on its way.
#[must_use]
pub fn with_warnings(report: Report, warnings: &[Warning]) -> Report {
    let mut problems = report.problems;
    problems.extend(warnings.iter().map(|warning| match warning {
        Warning::Truncated(lost) => report::truncated(*lost),
        Warning::Damaged(packets) => report::damaged(*packets),
        Warning::Changed => changed(),
        Warning::Tracks(count) => tracks(*count),
        Warning::HalfBand => half_band(),
    }));
    Report::new(problems)
}

fn changed() -> Problem {
    Problem {
        code: "changed",
        verdict: Verdict::Usable,
        vi: "Định dạng âm thanh thay đổi giữa tệp; phần sau đã bị bỏ. Hãy xuất lại cả bản ghi thành một định dạng."
            .to_owned(),
        en: "Rate or channels change in the middle of the file; what follows was left out. Export the whole in one \
             format."
            .to_owned(),
    }
}

fn tracks(count: u16) -> Problem {
    Problem {
        code: "several-tracks",
        verdict: Verdict::Usable,
        vi: format!(
            "Tệp có {count} rãnh âm thanh; chỉ dùng rãnh đầu tiên đọc được. Nếu sai, hãy xuất riêng rãnh cần phát."
        ),
        en: format!(
            "The file has {count} sound tracks; the first that can be read was used. If that is wrong, export the \
             right one alone."
        ),
    }
}

fn half_band() -> Problem {
    Problem {
        code: "half-band",
        verdict: Verdict::Usable,
        vi: "Tệp dùng HE-AAC nên chỉ đọc được nửa dưới của dải tần. Hãy xuất lại thành AAC-LC, FLAC hoặc WAV."
            .to_owned(),
        en: "The file is HE-AAC, of which only the lower half of the band was read. Export it as AAC-LC, FLAC or WAV."
            .to_owned(),
    }
}

fn vietnamese(error: &DecodeError) -> String {
    match error {
        DecodeError::Open { path, .. } => {
            format!("Không mở được {}; hãy kiểm tra tên tệp và quyền đọc.", path.display())
        }
        DecodeError::NotAFile { path, .. } => {
            format!(
                "{} không phải tệp, hoặc là tệp rỗng; hãy chọn một tệp âm thanh.",
                path.display()
            )
        }
        DecodeError::TooLarge { bytes, limit } => format!(
            "Tệp có {bytes} byte, vượt giới hạn {limit}; hãy lưu thành FLAC hoặc MP3, hoặc chia nhỏ."
        ),
        DecodeError::Start { program, .. } => {
            format!("Không khởi động được bộ giải mã {}; hãy kiểm tra cài đặt.", program.display())
        }
        DecodeError::NotAudio(why) => format!(
            "Đây không phải tệp âm thanh đọc được ({why}); hãy gửi WAV, FLAC, MP3, M4A, Ogg hoặc WebM."
        ),
        DecodeError::NoSound(why) => {
            format!("Tệp không chứa âm thanh ({why}); hãy xuất lại từ máy ghi âm hoặc thu lại.")
        }
        DecodeError::Unsupported(codec) => format!(
            "Âm thanh được mã hoá bằng {codec}, chưa được hỗ trợ; hãy lưu thành WAV, FLAC hoặc MP3 rồi gửi lại."
        ),
        DecodeError::TooLong(limit) => format!("Bản ghi dài hơn giới hạn {limit}; hãy chia nhỏ."),
        DecodeError::CpuLimit(_) | DecodeError::Silence(_) => {
            "Giải mã quá lâu nên đã bị dừng; hãy lưu bản ghi thành WAV rồi gửi lại.".to_owned()
        }
        DecodeError::MemoryLimit(_) | DecodeError::Crashed(_) | DecodeError::Nonsense(_) => {
            "Tệp làm bộ giải mã hỏng; tệp bị lỗi hoặc không đúng, hãy xuất lại rồi gửi lại."
                .to_owned()
        }
        DecodeError::Rate(rate) => format!(
            "Không dùng được tần số lấy mẫu {} Hz; hãy lưu bản ghi ở 48000 Hz rồi gửi lại.",
            rate.0
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Millis;

    #[test]
    fn a_refused_file_is_told_in_both_languages_what_to_do() {
        let error = ChainError::Source(DecodeError::NotAudio("plain text".to_owned()));
        let problem = refused(&error).problems.remove(0);
        assert_eq!((problem.code, problem.verdict), ("not-audio", Verdict::RecordAgain));
        assert!(problem.vi.contains("hãy gửi WAV"), "{}", problem.vi);
        assert!(problem.en.contains("send WAV") && problem.en.ends_with('.'), "{}", problem.en);
    }

    #[test]
    fn a_full_disk_is_not_the_recordings_fault() {
        let full = ChainError::Scratch(std::io::ErrorKind::StorageFull.into());
        assert!(!at_fault(&full));
        assert!(at_fault(&ChainError::Source(DecodeError::NoSound(String::new()))));
    }

    #[test]
    fn a_truncated_file_is_usable_at_best() {
        let good = Report::new(Vec::new());
        let report = with_warnings(good, &[Warning::Truncated(Some(Millis::from_secs(3)))]);
        assert_eq!(report.verdict, Verdict::Usable);
    }
}
