//! The folder of one controller: what an installer copies to the device, and the label for its box.
//!
//! **It holds secrets, so it is kept nowhere**: whoever asked for it has the only copy.

use crate::broker::BrokerAddress;
use crate::id::{ControllerId, NetId, PersonId};
use crate::server::ServerError;
use crate::server::enrolment::Provisioned;
use crate::server::profile::{Own, Profile};
use crate::server::station::Station;
use crate::time::Zone;

/// What a new device is given.
#[derive(Debug)]
pub struct DeviceFolder {
    /// Its `controller.toml`.
    pub config: String,
    /// The newest trust document, `trust.note`.
    pub trust: String,
    /// The certificate of the station's authority, `ca.pem`.
    pub authority: String,
    /// Its password, for a broker without TLS.
    pub password: Option<String>,
    /// The code for the paper in its box.
    pub given: Provisioned,
    net: NetId,
    controller: ControllerId,
    zone: Zone,
}

impl DeviceFolder {
    /// Its files with their names.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let mut files = vec![
            ("controller.toml", self.config.clone()),
            ("trust.note", self.trust.clone()),
            ("ca.pem", self.authority.clone()),
        ];
        files.extend(self.password.as_ref().map(|password| ("password", format!("{password}\n"))));
        files
    }

    /// The paper: whose box it is, the code, until when it counts, and what to type.
    pub fn label(&self) -> String {
        let until = self.zone.local(self.given.until).format("%d/%m/%Y");
        let Self { net, controller, .. } = self;
        let code = &self.given.code;
        format!(
            "  Loa Bản · {net} · {controller}\n\n\
             \x20 Mã dùng một lần / one-time code:  {code}\n\
             \x20 Dùng đến hết / until:             {until}\n\n\
             \x20 Trên thiết bị / on the device:\n\
             \x20   loaban-controller enrol {code} > enrolment.note\n\
             \x20 Gửi tệp về đài và đọc dấu vân tay khoá qua điện thoại.\n\
             \x20 Send the file to the station, and read the fingerprint out by telephone.\n"
        )
    }
}

impl Station {
    /// Provisions a controller that a schedule file names, and makes its folder.
    pub async fn device_folder(
        &self,
        controller: &ControllerId,
        profile: Profile,
        broker: &BrokerAddress,
        by: Option<&PersonId>,
    ) -> Result<DeviceFolder, ServerError> {
        let known = self.schedule().await?.controllers;
        if !known.iter().any(|known| known.id == *controller) {
            return Err(ServerError::UnknownController(controller.clone()));
        }
        let (trust, notes) = self.trust().await?;
        let (net, zone) = (&self.config.net, self.config.zone);
        let config = profile.fill(&Own { net, controller, broker, zone, trust: &trust });
        let authority = self.authority()?.certificate().to_owned();
        let given = self.provision(controller, by).await?;
        Ok(DeviceFolder {
            config,
            trust: notes.last().cloned().ok_or(ServerError::NoTrust)?,
            authority,
            password: (!broker.is_tls()).then(|| given.password.clone()),
            given,
            net: net.clone(),
            controller: controller.clone(),
            zone,
        })
    }
}
