//! A villager's question, taken down by the operator.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::access::Action;
use crate::bulletin::lists::USUAL_TOPICS;
use crate::bulletin::question::Channel;
use crate::fleet::Level;
use crate::id::AreaId;
use crate::lang::LangTag;
use crate::server::{NewQuestion, ServerError};
use crate::web::Site;
use crate::web::commune::town::{Town, town};
use crate::web::fault::Fault;
use crate::web::frame::{self, Frame};
use crate::web::guard::Visitor;
use crate::web::tongue::Tongue;

#[derive(Template)]
#[template(path = "question.html")]
struct Page {
    frame: Frame,
    area: AreaId,
    villages: Vec<(AreaId, String)>,
    languages: Vec<(LangTag, String)>,
    topics: Vec<String>,
    /// The name of the question that was just taken down.
    taken: Option<String>,
    fault: Option<String>,
    typed: Asked,
}

/// The form.
#[derive(Clone, Default, Deserialize)]
pub(in crate::web) struct Asked {
    village: String,
    language: String,
    channel: String,
    #[serde(default)]
    topic: String,
    text: String,
    #[serde(default)]
    asker: String,
    #[serde(default)]
    consent: String,
}

/// The villages of a commune, or the area itself where it has none.
pub(in crate::web) fn villages(town: &Town, area: &AreaId) -> Vec<(AreaId, String)> {
    let tree = &town.schedule.tree;
    let below = tree.below(area);
    let held = below.iter().filter_map(|id| tree.get(id));
    let mut villages: Vec<(AreaId, String)> = held
        .filter(|held| held.level == Level::Village || held.id == *area)
        .map(|held| (held.id.clone(), held.name.clone()))
        .collect();
    if villages.len() > 1 {
        villages.retain(|(id, _)| id != area);
    }
    villages.sort_by(|a, b| a.1.cmp(&b.1));
    villages
}

/// The languages that are asked for in an area, by their names.
pub(in crate::web) fn languages(
    town: &Town,
    area: &AreaId,
    tongue: Tongue,
) -> Vec<(LangTag, String)> {
    let (tree, names) = (&town.schedule.tree, &town.schedule.lists.languages);
    let below = tree.below(area);
    let wishes = below.iter().filter_map(|id| tree.profile(id)).flat_map(|held| &held.listens);
    let mut tags: Vec<LangTag> = wishes.map(|wish| wish.language.clone()).collect();
    tags.extend("vi".parse());
    // Vietnamese first: it is what most forms are in.
    tags.sort_by_key(|tag| (tag.as_str() != "vi", tag.clone()));
    tags.dedup();
    let named = |tag: LangTag| {
        let name = tongue.say(names.vi(&tag), names.en(&tag)).to_owned();
        (tag, name)
    };
    tags.into_iter().map(named).collect()
}

/// The empty form.
pub(in crate::web) async fn form(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
) -> Result<Response, Fault> {
    page(&site, &visitor, area, Asked::default(), None, None).await
}

async fn page(
    site: &Site,
    visitor: &Visitor,
    area: AreaId,
    typed: Asked,
    fault: Option<String>,
    taken: Option<String>,
) -> Result<Response, Fault> {
    let town = town(site).await?;
    let tree = &town.schedule.tree;
    let held = tree.get(&area).ok_or_else(|| ServerError::NoArea(area.clone()))?;
    let (who, chain) = (visitor.who()?, tree.chain(&area));
    who.duties
        .allow(who.person.id.as_str(), Action::TakeQuestion, &chain)
        .map_err(ServerError::from)?;
    let lists = &town.schedule.lists;
    let own = lists.topics.iter().map(ToString::to_string);
    let title = visitor.tongue.say("Câu hỏi của người dân", "A villager's question");
    Ok(frame::page(&Page {
        frame: Frame::new(site, visitor, format!("{title} – {}", held.name)),
        villages: villages(&town, &area),
        languages: languages(&town, &area, visitor.tongue),
        topics: USUAL_TOPICS.iter().map(ToString::to_string).chain(own).collect(),
        area,
        taken,
        fault,
        typed,
    }))
}

/// Takes a question down.
pub(in crate::web) async fn ask(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    Path(area): Path<AreaId>,
    Form(asked): Form<Asked>,
) -> Result<Response, Fault> {
    let by = &visitor.who()?.person.id;
    let taken = match asked.read() {
        Ok(new) => site.station.ask(new, by).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match taken {
        Ok(id) => {
            let next = Asked { village: asked.village, ..Asked::default() };
            page(&site, &visitor, area, next, None, Some(id.to_string())).await
        }
        Err(fault) => {
            let sentence = visitor.tongue.say(&fault.vi, &fault.en).to_owned();
            page(&site, &visitor, area, asked, Some(sentence), None).await
        }
    }
}

impl Asked {
    fn read(&self) -> Result<NewQuestion, Fault> {
        let incomplete = || {
            Fault::bad(
                "Hãy chọn bản, ngôn ngữ, cách hỏi và ghi câu hỏi.",
                "Choose village, language and way, and write the question.",
            )
        };
        let named = !self.asker.trim().is_empty();
        if named && self.consent.is_empty() {
            return Err(Fault::bad(
                "Chỉ ghi tên người hỏi khi họ đồng ý: hãy đánh dấu, hoặc xoá tên.",
                "Write who asked only if they agree: tick that, or delete the name.",
            ));
        }
        let channel = Channel::ALL.into_iter().find(|channel| channel.word() == self.channel);
        let topic = (!self.topic.is_empty()).then(|| self.topic.parse()).transpose();
        let asker = named.then(|| self.asker.parse()).transpose();
        Ok(NewQuestion {
            channel: channel.ok_or_else(incomplete)?,
            village: self.village.parse().map_err(|_| incomplete())?,
            language: self.language.parse().map_err(|_| incomplete())?,
            topic: topic.map_err(|_| incomplete())?,
            text: self.text.parse().map_err(|_| incomplete())?,
            asker: asker.map_err(|_| incomplete())?,
        })
    }

    fn has(&self, channel: &str) -> bool {
        self.channel == channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            village: "ban-cho-ben".to_owned(),
            language: "mww".to_owned(),
            channel: "phone".to_owned(),
            text: "Khi nào có bảo hiểm?".to_owned(),
            ..Asked::default()
        }
    }

    #[test]
    fn who_asked_is_kept_only_with_their_consent() {
        let named = Asked { asker: "Chang A Páo, 0912".to_owned(), ..asked() };
        assert!(named.read().is_err());
        let agreed = Asked { consent: "yes".to_owned(), ..named };
        assert!(agreed.read().is_ok_and(|new| new.asker.is_some()));
        assert!(asked().read().is_ok_and(|new| new.asker.is_none()));
    }

    #[test]
    fn a_question_without_words_is_told() {
        assert!(Asked { text: String::new(), ..asked() }.read().is_err());
    }
}
