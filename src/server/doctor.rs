//! Whether a station is well: every part looked at, each with a sentence.

use std::time::Duration;

use crate::broker::{Link, LinkEvent, LinkOptions};
use crate::clock::utc_now;
use crate::log::{LogReader, verify};
use crate::server::ServerError;
use crate::server::config::BrokerChoice;
use crate::server::station::Station;
use crate::vault::VaultError;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What.
    pub part: &'static str,
    /// Whether it is well.
    pub well: bool,
    /// A sentence; where it is not well, with what to do.
    pub sentence: String,
    /// The same in Vietnamese.
    pub vi: String,
}

impl Finding {
    /// What was looked at, in Vietnamese.
    pub fn part_vi(&self) -> &'static str {
        match self.part {
            "trust" => "danh mục khoá",
            "keys" => "khoá của máy chủ",
            "schedule" => "lịch phát",
            "log" => "nhật ký phát sóng",
            "recordings" => "bản ghi âm",
            "broker" => "máy chủ tin nhắn",
            other => other,
        }
    }
}

/// The same in Vietnamese and in English.
struct Said {
    vi: String,
    en: String,
}

impl From<Said> for ServerError {
    fn from(Said { vi, en }: Said) -> Self {
        Self::Unwell { vi, en }
    }
}

fn finding(part: &'static str, result: Result<Said, ServerError>) -> Finding {
    match result {
        Ok(Said { vi, en }) => Finding { part, well: true, sentence: en, vi },
        Err(error) => {
            Finding { part, well: false, vi: unwell_vi(&error), sentence: error.to_string() }
        }
    }
}

/// What is not well, in Vietnamese.
fn unwell_vi(error: &ServerError) -> String {
    match error {
        ServerError::Unwell { vi, .. } => vi.clone(),
        ServerError::Vault(error) => error.vi(),
        ServerError::Log(error) => error.vi(),
        ServerError::Store(error) => error.vi(),
        ServerError::NoKey(path) => {
            format!("Thiếu {}; hãy lấy lại từ bản sao lưu.", path.display())
        }
        ServerError::NoTrust => {
            "Cơ sở dữ liệu không có danh mục khoá đã ký nên không thuộc đài nào; \
             hãy phục hồi bản sao lưu."
                .to_owned()
        }
        ServerError::Faults(faults) => format!("Tệp lịch có lỗi:\n{faults}"),
        other => format!("Chưa ổn; máy chủ nói (tiếng Anh): {other}"),
    }
}

/// How long the broker may take to let us in.
const BROKER_WAIT: Duration = Duration::from_secs(10);

/// Looks at every part of a station that was opened.
pub async fn examine(station: &Station) -> Vec<Finding> {
    vec![
        finding("trust", trust(station).await),
        finding(
            "keys",
            station.online_keys().map(|_| Said {
                vi: "đủ bốn khoá của máy chủ".to_owned(),
                en: "the server's four keys are there".to_owned(),
            }),
        ),
        finding("schedule", schedule(station).await),
        finding("log", log(station).await),
        finding("recordings", recordings(station).await),
        finding("broker", broker(station).await),
    ]
}

async fn trust(station: &Station) -> Result<Said, ServerError> {
    let (document, _) = station.trust().await?;
    let soon = utc_now() + Duration::from_hours(1440);
    let ending = document.keys.iter().filter(|grant| grant.until < soon).count();
    let keys = document.keys.len();
    let version = document.version;
    Ok(Said {
        vi: format!("danh mục bản {version} có {keys} khoá, {ending} khoá hết hạn trong 60 ngày"),
        en: format!("trust document {version} names {keys} keys, {ending} end within 60 days"),
    })
}

async fn schedule(station: &Station) -> Result<Said, ServerError> {
    let (world, plan) = station.plan().await?;
    let refused = plan.remarks.iter().filter(|remark| remark.reason.refuses()).count();
    let (programmes, controllers) = (world.programmes.len(), world.controllers.len());
    let ahead = plan.airings.len();
    Ok(Said {
        vi: format!(
            "{programmes} chương trình cho {controllers} bộ thu: {ahead} lượt sắp phát, \
             {refused} lượt bị từ chối"
        ),
        en: format!(
            "{programmes} programmes for {controllers} controllers: {ahead} airings ahead, \
             {refused} refused"
        ),
    })
}

async fn log(station: &Station) -> Result<Said, ServerError> {
    let key = station.online_keys()?.log.public();
    let folder = station.log_folder();
    if LogReader::open(&folder).is_err() {
        return Ok(Said {
            vi: "nhật ký còn trống; `loaban serve` bắt đầu ghi".to_owned(),
            en: "the log is empty; `loaban serve` begins it".to_owned(),
        });
    }
    let verdict = tokio::task::spawn_blocking(move || verify(&folder, &key, None)).await;
    let verdict = verdict.map_err(|e| ServerError::Task(e.to_string()))??;
    if verdict.is_right() {
        Ok(Said { vi: verdict.vi(), en: verdict.to_string() })
    } else {
        Err(Said { vi: verdict.vi(), en: verdict.to_string() }.into())
    }
}

async fn recordings(station: &Station) -> Result<Said, ServerError> {
    let rows = station.store.assets().await?;
    let damaged = rows.iter().filter_map(|row| station.assets.read(row.digest).err());
    // All of them at once: whoever restores a backup wants the whole list.
    let damaged: Vec<VaultError> = damaged.collect();
    if !damaged.is_empty() {
        let (vi, en): (Vec<String>, Vec<String>) =
            damaged.iter().map(|error| (error.vi(), error.to_string())).unzip();
        return Err(Said { vi: vi.join(" "), en: en.join(" ") }.into());
    }
    Ok(Said {
        vi: format!("{} bản ghi đã duyệt còn nguyên vẹn", rows.len()),
        en: format!("{} approved recordings are whole", rows.len()),
    })
}

async fn broker(station: &Station) -> Result<Said, ServerError> {
    let address = match &station.config.broker {
        BrokerChoice::Embedded { listen, tls } => {
            let door = |words: &str| {
                tls.as_ref().map_or_else(String::new, |door| format!(" {words} {}", door.listen))
            };
            let (vi, en) = (door("và bằng TLS ở"), door("and under TLS on"));
            return Ok(Said {
                vi: format!("nằm trong máy chủ, ở {listen}{vi} khi `loaban serve` chạy"),
                en: format!("embedded, on {listen}{en} while `loaban serve` runs"),
            });
        }
        BrokerChoice::External { address, .. } => address.clone(),
    };
    let mut link = Link::open(LinkOptions {
        client_id: "server-doctor".to_owned(),
        clean_session: true,
        ..station.link_options(address.clone())?
    });
    let event = tokio::time::timeout(BROKER_WAIT, link.next()).await;
    link.close().await;
    match event {
        Ok(LinkEvent::Up { .. }) => Ok(Said {
            vi: format!("{address} cho máy chủ vào"),
            en: format!("{address} lets the server in"),
        }),
        Ok(LinkEvent::Down { reason } | LinkEvent::Refused { reason }) => {
            let vi = format!(
                "{address} không cho máy chủ vào ({reason}); hãy xem tài khoản và quyền của máy chủ \
                 tin nhắn."
            );
            Err(Said { vi, en: reason }.into())
        }
        _ => Err(Said {
            vi: format!(
                "{address} không trả lời; hãy khởi động nó, hoặc sửa [broker] trong loaban.toml"
            ),
            en: format!("{address} does not answer; start it, or correct [broker] in loaban.toml"),
        }
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_well_is_told_in_vietnamese_with_what_to_do() {
        let path = || std::path::PathBuf::from("assets/ab.opus");
        let why = "its digest is another".to_owned();
        let cases: [ServerError; 5] = [
            VaultError::Damaged { path: path(), why }.into(),
            VaultError::Full { path: path() }.into(),
            crate::log::LogError::Broken.into(),
            ServerError::NoKey("keys/online/log".into()),
            ServerError::NoTrust,
        ];
        for error in cases {
            let Finding { vi, well, .. } = finding("log", Err(error));
            assert!(!well && vi.contains("hãy"), "{vi}");
            assert!(!vi.contains(" is ") && !vi.contains("digest"), "{vi}");
        }
    }
}
