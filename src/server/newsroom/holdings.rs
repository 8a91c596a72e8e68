//! What the newsroom has: every bulletin with its versions, beside the villages that ask for them.

use crate::bulletin::Bulletin;
use crate::bulletin::version::Version;
use crate::schedule::{History, World};
use crate::server::ServerError;
use crate::server::planning::airable;
use crate::server::station::Station;

/// Everything that the pages of the newsroom show.
#[derive(Debug)]
pub struct Holdings {
    /// Every bulletin, by id.
    pub bulletins: Vec<Bulletin>,
    /// Every version, by bulletin and language.
    pub versions: Vec<Version>,
    /// The same as the plan sees it, with the areas; without programmes and what was heard, which
    /// play no part in who can hear what.
    pub world: World,
}

impl Station {
    /// What the newsroom has now.
    pub async fn holdings(&self) -> Result<Holdings, ServerError> {
        let checked = self.schedule().await?;
        let (bulletins, versions) = (self.store.bulletins().await?, self.store.versions().await?);
        let world = World {
            zone: self.config.zone,
            tree: checked.tree,
            controllers: checked.controllers,
            policies: checked.policies,
            programmes: Vec::new(),
            exceptions: Vec::new(),
            decisions: Vec::new(),
            content: airable(bulletins.clone(), &versions),
            history: History::default(),
        };
        Ok(Holdings { bulletins, versions, world })
    }
}
