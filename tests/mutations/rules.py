"""Rules of acceptance and durable marks, each with the change of source text that breaks it."""

AIRING, EMERGENCY = "src/agent/airing.rs", "src/agent/emergency.rs"
INCOMING, DIARY, LIBRARY = "src/agent/incoming.rs", "src/agent/diary.rs", "src/agent/library.rs"
AGENT, CLOCK, UPKEEP = "src/agent.rs", "src/agent/clock.rs", "src/agent/upkeep.rs"
TRUST, NOTE, MANIFEST = "src/trust.rs", "src/note.rs", "src/manifest.rs"
DISPATCH, DISPATCH_IN = "src/dispatch.rs", "src/dispatch/incoming.rs"

MUTATIONS = [
    ("a wrong signature is accepted", [
        (NOTE, ".map_err(|_| NoteError::Forged(key.name.clone()))?;", ".ok();")]),
    ("a key of any role signs", [
        (TRUST, "self.keys.iter().filter(move |grant| grant.role == role && at < grant.until)",
         "{ let _ = role; self.keys.iter().filter(move |grant| at < grant.until) }")]),
    ("an approver of any area signs", [
        (TRUST, "Some(area) if !allowed =>", "Some(area) if !allowed && false =>")]),
    ("one officer is enough", [
        (TRUST, "if distinct.len() < usize::from(need.max(1)) {",
         "if distinct.is_empty() && need > 0 {")]),
    ("officers of any area count", [
        (TRUST, ".filter(|grant| chain.is_empty() || grant.areas.iter().any(|a| chain.contains(a)))",
         ".filter(|grant| chain.is_empty() || !grant.areas.is_empty())")]),
    ("a document of another network is accepted", [
        ("src/protocol/envelope.rs", "let prefix = prefix(typ, net);",
         "let prefix = prefix(typ, net);\n    let other = prefix.replace(net.as_str(), \"tinh-khac\");\n"
         "    let line = &*line.replacen(&other, &prefix, 1);")]),
    ("a manifest for another controller is accepted", [
        (MANIFEST, "if self.controller != *controller {",
         "if self.controller.as_str().is_empty() {")]),
    ("an older manifest is accepted", [
        (MANIFEST, "held.filter(|held| self.number <= *held)",
         "held.filter(|held| self.number == *held)")]),
    ("a manifest of more than seven days is accepted", [
        (MANIFEST, "if until > self.issued + VALID_MAX {", "if until > self.issued + VALID_MAX * 2 {")]),
    ("a manifest past its end is accepted", [
        (MANIFEST, "Some(now) if until <= now =>", "Some(now) if until <= now && false =>")]),
    ("a language that nobody asked for is accepted", [
        (MANIFEST, "find(|item| !self.languages.contains(&item.language))",
         "find(|item| item.language.as_str().is_empty())")]),
    ("a withdrawn recording goes on", [
        (INCOMING, "let withdrawn = manifest.withdrawn.clone();", "let withdrawn: Vec<Digest> = vec![];"),
        (INCOMING, "needed.retain(|asset| !withdrawn.contains(asset));", "let _ = withdrawn;"),
        (AGENT, "&& !manifest.withdrawn.contains(&descriptor.asset)", "")]),
    ("an expired recording sounds", [
        (AGENT, "&& at < descriptor.valid_until\n", "\n"),
        (AIRING, "if utc >= manifest.valid_until || stale {", "if utc >= manifest.valid_until {")]),
    ("a revoked approver's recordings go on", [
        (INCOMING, "self.reconsider(now);", "")]),
    ("the length of an item is the server's word", [
        (AIRING, "&& descriptor.length_ms == item.length_ms", "")]),
    ("an airing sounds before its begun mark", [
        (AIRING, "        self.keep(Record::Begun {", "        let begun = (Record::Begun {"),
        (AIRING, "        self.play(What::Airing, key.to_string(), parts, items);",
         "        self.play(What::Airing, key.to_string(), parts, items);\n        self.keep(begun);")]),
    ("an airing is begun again after a power cut", [
        (DIARY, "                self.over.insert(airing.clone());\n                self.open =",
         "                self.open =")]),
    ("an item done is not marked", [
        (AIRING, "self.keep(Record::ItemDone { item });", "let _ = item;")]),
    ("an emergency sounds after its expiry", [
        (EMERGENCY, "(e.expires <= utc || spent(&e.id))", "spent(&e.id)"),
        (EMERGENCY, "if emergency.expires <= utc || emergency.expires",
         "if emergency.expires")]),
    ("a completed emergency is accepted again", [
        (EMERGENCY, "if self.diary.ended.contains_key(&emergency.id) {",
         "if self.diary.ended.contains_key(&emergency.id) && false {")]),
    ("an emergency's completion is not marked", [
        (EMERGENCY, "self.keep(Record::EmergencyOver { id: id.clone(), forget: expires + REMEMBER });",
         "let _ = (expires, REMEMBER);")]),
    ("an emergency is not tried again after a power cut", [
        (EMERGENCY, ">= ATTEMPTS_MAX)", ">= 1 + ATTEMPTS_MAX * 0)")]),
    ("an attempt at an emergency is not marked", [
        (EMERGENCY, "self.keep(Record::EmergencyBegun { id: id.clone(), attempt });", "")]),
    ("a held emergency is not kept", [
        (EMERGENCY, "self.keep(Record::Emergency { id: emergency.id.clone(), note });", "drop(note);")]),
    ("a cancel is ignored", [
        (EMERGENCY, "EmergencyAction::Cancel {} => self.cancel(utc, &emergency),",
         "EmergencyAction::Cancel {} => {}")]),
    ("an order is carried out again", [
        (INCOMING, "if order.number <= self.diary.last_order() {",
         "if order.number < self.diary.last_order() {")]),
    ("an order is not marked", [
        (INCOMING, "self.keep(super::Record::Order { number: order.number });", "")]),
    ("an expired order is carried out", [
        (INCOMING, "if order.expires <= utc || order", "if order")]),
    ("an order for another is carried out", [
        (INCOMING, "if order.controller != self.settings.controller {",
         "if order.controller.as_str().is_empty() {")]),
    ("a clock that shows 1970 is trusted", [
        (AGENT, "settings.rtc && now.utc >= earliest", "{ let _ = earliest; settings.rtc }")]),
    ("a clock without a battery is trusted", [
        (AGENT, "settings.rtc && now.utc >= earliest", "now.utc >= earliest || !settings.rtc")]),
    ("an answer to no question sets the clock", [
        (CLOCK, "if nonce != answer.nonce ||", "if")]),
    ("the policy's windows are ignored", [
        (AIRING, "} else if !manifest.policy.allows(manifest.zone, utc, ends) {",
         "} else if !manifest.policy.allows(manifest.zone, utc, ends) && false {")]),
    ("the controller's own quiet hours are ignored", [
        (AIRING, "} else if !self.settings.outer.allows(self.settings.zone, utc, ends) {",
         "} else if !self.settings.outer.allows(self.settings.zone, utc, ends) && false {")]),
    ("receipts count as delivered when they are sent", [
        (UPKEEP, "            self.publish(Up::Receipts, &batch, false);",
         "            self.publish(Up::Receipts, &batch, false);\n"
         "            let upto = batch.first + batch.receipts.len() as u64 - 1;\n"
         "            self.keep(crate::agent::Record::Acked { upto });")]),
    ("an acknowledgement for another counts", [
        (INCOMING, "if ack.controller != self.settings.controller {",
         "if ack.controller.as_str().is_empty() {")]),
    ("routine airings go on without a receipt when storage is full", [
        (AIRING, "        self.swear(utc, event);\n    }\n\n    fn begin_airing",
         "        if self.diary.has_room(self.settings.receipts_max) {\n"
         "            self.swear(utc, event);\n        }\n    }\n\n    fn begin_airing")]),
    ("receipts are not chained", [
        (DIARY, "self.head = next_link(self.head, &line);", "let _ = next_link;")]),
    ("a block is not compared with its digest", [
        (LIBRARY, "if !descriptor.is_block(n, bytes) {", "if bytes.is_empty() {")]),
    ("a jump of the trust document is accepted", [
        (TRUST, "if Some(self.version) != held.version.checked_add(1) {", "if self.version <= held.version {"),
        (INCOMING, "if document.version > self.trust.version + 1 {",
         "if document.version > self.trust.version + 9 {")]),
    ("the old root need not sign", [
        (INCOMING, "self.trust.anchors().verify(&note).map_err(|e| e.to_string())?;", ""),
        (TRUST, "        self.check()?;\n        anchors.verify(note)?;",
         "        let _ = anchors;\n        self.check()?;")]),
    ("a stolen controller is heard", [
        (DISPATCH, "                self.devices.remove(&controller);\n            }\n            Input::Manifest",
         "                let _ = controller;\n            }\n            Input::Manifest")]),
    ("receipts are acknowledged before the log has them", [
        (DISPATCH_IN, "        if let Some(device) = self.devices.get_mut(from) {\n            device.ingesting = true;\n        }",
         "        self.acknowledge(from, batch.chain.clone(), upto);\n"
         "        if let Some(device) = self.devices.get_mut(from) {\n            device.ingesting = true;\n        }")]),
    ("a chain may begin anywhere", [
        (DISPATCH_IN, "if batch.first != batch.kept {", "if batch.first == 0 {")]),
    ("receipts that do not continue the chain are taken", [
        (DISPATCH_IN, "let is_oldest = batch.first == batch.kept;", "let is_oldest = true;")]),
    ("an emergency is sent once", [
        ("src/dispatch/emergency.rs", "let waiting = standing.raised.waiting.iter().map(topic);",
         "let waiting = standing.raised.waiting.iter().take(0).map(topic);"),
        ("src/dispatch/emergency.rs", "let notes: Vec<String> = standing.map(|s| s.raised.note.clone()).collect();",
         "let notes: Vec<String> = standing.take(0).map(|s| s.raised.note.clone()).collect();")]),
]
