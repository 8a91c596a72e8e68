//! What controllers are called by people: the village that one stands in, and its commune.

use std::collections::BTreeMap;

use crate::fleet::{Area, AreaTree, Controller, Level};
use crate::id::{AreaId, ControllerId};

/// The areas of controllers, with their names.
#[derive(Debug, Clone)]
pub struct Places<'w> {
    tree: &'w AreaTree,
    areas: BTreeMap<&'w ControllerId, &'w AreaId>,
}

impl<'w> Places<'w> {
    /// The places of `controllers`.
    pub fn new(tree: &'w AreaTree, controllers: &'w [Controller]) -> Self {
        Self { tree, areas: controllers.iter().map(|c| (&c.id, &c.area)).collect() }
    }

    /// The area in which a controller stands.
    pub fn area(&self, controller: &ControllerId) -> Option<&'w Area> {
        self.tree.get(self.areas.get(controller)?)
    }

    /// What people call the place: the name of its area, else the controller's own id.
    pub fn name<'a>(&self, controller: &'a ControllerId) -> &'a str
    where
        'w: 'a,
    {
        self.area(controller).map_or(controller.as_str(), |area| &area.name)
    }

    /// The area of that name.
    pub fn name_of(&self, area: &AreaId) -> Option<&'w Area> {
        self.tree.get(area)
    }

    /// The commune above a controller's area, if there is one.
    pub fn commune(&self, controller: &ControllerId) -> Option<&'w Area> {
        self.commune_of(self.areas.get(controller)?)
    }

    /// The commune that an area is, or lies in.
    pub fn commune_of(&self, area: &AreaId) -> Option<&'w Area> {
        self.tree.upward(area).find(|area| area.level == Level::Commune)
    }
}
