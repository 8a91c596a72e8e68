//! One controller as a device: from a folder and a piece of paper to a device that counts, and back.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::broker::BrokerAddress;
use crate::clock::utc_now;
use crate::id::ControllerId;
use crate::server::{BrokerChoice, DeviceFolder, Profile, ServerError};
use crate::web::Site;
use crate::web::administration::devices::until;
use crate::web::commune::town;
use crate::web::fault::Fault;
use crate::web::frame::{self, Entry, Frame};
use crate::web::guard::Visitor;

#[derive(Template)]
#[template(path = "administration/device.html")]
struct Page {
    frame: Frame,
    tabs: Vec<Entry>,
    id: ControllerId,
    place: String,
    state: String,
    key: Option<String>,
    revoked: bool,
    code: Option<String>,
    certificates: Vec<String>,
    profiles: Vec<&'static str>,
    broker: String,
    told: Option<String>,
    fault: Option<String>,
    /// The folder that was just made, as an address to download, with its label.
    folder: Option<(String, String)>,
    /// A certificate that was just made, as an address to download.
    certificate: Option<String>,
}

/// The page.
pub(in crate::web) async fn show(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
) -> Result<Response, Fault> {
    Ok(frame::page(&page(&site, &visitor, &controller).await?))
}

async fn page(site: &Site, visitor: &Visitor, id: &ControllerId) -> Result<Page, Fault> {
    site.station.may_change(&visitor.who()?.person.id, id).await?;
    let (town, tongue) = (town(site).await?, visitor.tongue);
    let (zone, now) = (site.station.config.zone, utc_now());
    let devices = site.station.store.devices().await?;
    let device = devices.into_iter().find(|device| device.controller == *id);
    let code = site.station.store.code(id).await?.map(|code| {
        if let Some(at) = code.used {
            let said = tongue.say("đã dùng", "was used");
            format!("{said} {}", zone.local(at).format("%d/%m/%Y %H:%M"))
        } else {
            let said = tongue.say("chưa dùng, hết hạn", "not used, counts until");
            format!("{said} {}", until(code.until, zone, now, tongue))
        }
    });
    let rows = site.station.store.certificates().await?;
    let mine = rows.iter().filter(|row| row.controller == *id);
    let certificates = mine.map(|row| {
        let end = until(row.until, zone, now, tongue);
        let revoked = tongue.say("đã thu hồi", "revoked");
        if row.revoked.is_some() {
            format!("{} – {revoked}", row.serial)
        } else {
            format!("{} – {end}", row.serial)
        }
    });
    let link = town.condition(id).map(|condition| condition.link.clone());
    Ok(Page {
        frame: Frame::new(site, visitor, id.to_string()),
        tabs: super::tabs(visitor),
        place: town.place(id),
        state: link.map_or_else(String::new, |link| tongue.say(&link.vi, &link.en).to_owned()),
        revoked: device.as_ref().is_some_and(|device| device.revoked.is_some()),
        key: device.and_then(|device| device.public_key).map(|key| key.fingerprint()),
        code,
        certificates: certificates.collect(),
        profiles: Profile::ALL.map(|(word, _)| word).into(),
        broker: broker(site),
        id: id.clone(),
        told: None,
        fault: None,
        folder: None,
        certificate: None,
    })
}

/// How controllers reach the broker, as far as the server knows.
fn broker(site: &Site) -> String {
    match &site.station.config.broker {
        BrokerChoice::Embedded { listen, tls: None } => format!("mqtt://{listen}"),
        BrokerChoice::Embedded { tls: Some(door), .. } => {
            let name = door.names.first().map_or("", String::as_str);
            format!("mqtts://{name}:{}", door.listen.port())
        }
        BrokerChoice::External { address, .. } => address.to_string(),
    }
}

/// What was done, as this page tells it.
#[derive(Default)]
struct Done {
    told: Option<String>,
    folder: Option<(String, String)>,
    certificate: Option<String>,
}

/// The page after something was done, or with why it was not.
async fn after(
    site: &Site,
    visitor: &Visitor,
    id: &ControllerId,
    done: Result<Done, ServerError>,
) -> Result<Response, Fault> {
    site.looked.forget();
    let page = page(site, visitor, id).await?;
    match done {
        Ok(Done { told, folder, certificate }) => {
            Ok(frame::page(&Page { told, folder, certificate, ..page }))
        }
        Err(error) => {
            let fault = Fault::from(error);
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            Ok((fault.status, frame::page(&Page { fault: Some(sentence), ..page })).into_response())
        }
    }
}

/// What kind of device, and how it reaches the broker.
#[derive(Deserialize)]
pub(in crate::web) struct Kind {
    profile: String,
    broker: String,
}

/// Makes the folder and the code of a device.
pub(in crate::web) async fn provision(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(kind): Form<Kind>,
) -> Result<Response, Fault> {
    let by = visitor.who()?.person.id.clone();
    site.station.may_change(&by, &controller).await?;
    let profile: Profile = kind.profile.parse().map_err(|_| {
        Fault::bad("Hãy chọn loại thiết bị trong danh sách.", "Choose a kind of device.")
    })?;
    let broker: BrokerAddress = kind.broker.trim().parse().map_err(|_| {
        Fault::bad(
            "Hãy ghi địa chỉ máy chủ tin nhắn, như mqtts://loa.example.vn:8883.",
            "Write the broker's address, such as mqtts://loa.example.vn:8883.",
        )
    })?;
    let made = site.station.device_folder(&controller, profile, &broker, Some(&by)).await;
    let done = match made {
        Ok(folder) => Ok(Done {
            folder: Some((zipped(&controller, &folder)?, folder.label())),
            ..Done::default()
        }),
        Err(error) => Err(error),
    };
    after(&site, &visitor, &controller, done).await
}

/// The folder as an address that a browser downloads: it holds secrets, so it is kept nowhere.
fn zipped(controller: &ControllerId, folder: &DeviceFolder) -> Result<String, Fault> {
    let broken = |error: zip::result::ZipError| ServerError::Task(error.to_string());
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in folder.files() {
        use std::io::Write as _;
        zip.start_file(format!("{controller}/{name}"), options).map_err(broken)?;
        zip.write_all(text.as_bytes()).map_err(|error| broken(error.into()))?;
    }
    let bytes = zip.finish().map_err(broken)?.into_inner();
    Ok(format!("data:application/zip;base64,{}", STANDARD.encode(bytes)))
}

/// What a device printed, and what its installer read out.
#[derive(Deserialize)]
pub(in crate::web) struct Request {
    note: String,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    root_passphrase: String,
}

impl Request {
    /// Browsers send other line ends than devices.
    fn note(&self) -> String {
        let text = self.note.replace("\r\n", "\n");
        format!("{}\n", text.trim_end())
    }
}

/// Takes the keys of a device.
pub(in crate::web) async fn enrol(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(request): Form<Request>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    site.station.may_change(by, &controller).await?;
    let root = Some(request.root_passphrase.as_str()).filter(|text| !text.is_empty());
    let note = request.note();
    let done = site.station.enrol(&controller, &note, &request.fingerprint, root, Some(by)).await;
    let done = done.map(|enrolled| Done {
        told: Some(format!(
            "{} {}",
            visitor.tongue.say("Đã ghi danh, khoá", "Enrolled, key"),
            enrolled.key.fingerprint()
        )),
        certificate: enrolled.certificate.map(|issued| pem(&issued.certificate)),
        folder: None,
    });
    after(&site, &visitor, &controller, done).await
}

fn pem(text: &str) -> String {
    format!("data:application/x-pem-file;base64,{}", STANDARD.encode(text))
}

/// Certifies an enrolled device anew.
pub(in crate::web) async fn sign(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(request): Form<Request>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    site.station.may_change(by, &controller).await?;
    let done = site.station.renew_certificate(&controller, &request.note(), Some(by)).await;
    let done = done.map(|issued| Done {
        told: Some(visitor.tongue.say("Đã cấp chứng thư mới.", "Certified anew.").to_owned()),
        certificate: Some(pem(&issued.certificate)),
        folder: None,
    });
    after(&site, &visitor, &controller, done).await
}

/// A passphrase for what the root key signs.
#[derive(Deserialize)]
pub(in crate::web) struct Rooted {
    #[serde(default)]
    root_passphrase: String,
}

/// Says to everybody that a device is stolen or lost.
pub(in crate::web) async fn revoke(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(controller): Path<ControllerId>,
    Form(rooted): Form<Rooted>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    site.station.may_change(by, &controller).await?;
    let done = site.station.revoke_controller(&controller, &rooted.root_passphrase, Some(by)).await;
    let done = done.map(|()| Done {
        told: Some(
            visitor
                .tongue
                .say(
                    "Đã thu hồi; hãy cấp phát cho thiết bị thay thế.",
                    "Revoked; provision the device that takes its place.",
                )
                .to_owned(),
        ),
        ..Done::default()
    });
    after(&site, &visitor, &controller, done).await
}
