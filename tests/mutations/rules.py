"""Rules of acceptance and durable marks, each with the change of source text that can break it.

BROKEN stands for the question whether this very rule is the one to be broken. A mark that is not
durable is in memory all the same, as if the write had been left out: KEEP_UNLESS.
"""

AIRING, EMERGENCY, PAUSE = "src/agent/airing.rs", "src/agent/emergency.rs", "src/agent/pause.rs"
LOCAL = "src/agent/local.rs"
INCOMING, DIARY, LIBRARY = "src/agent/incoming.rs", "src/agent/diary.rs", "src/agent/library.rs"
AGENT, CLOCK, UPKEEP = "src/agent.rs", "src/agent/clock.rs", "src/agent/upkeep.rs"
TRUST, NOTE, MANIFEST = "src/trust.rs", "src/note.rs", "src/manifest.rs"
DISPATCH, DISPATCH_IN = "src/dispatch.rs", "src/dispatch/incoming.rs"
DISPATCH_EMERGENCY = "src/dispatch/emergency.rs"


def unmarked(path, record):
    """The edit that leaves out a durable mark."""
    return path, f"self.keep({record})", f"self.keep_unless(BROKEN, {record})"


RULES = [
    ("a wrong signature is accepted", [
        (NOTE, "if !self.scheme.holds(", "if !BROKEN && !self.scheme.holds(")]),
    ("a key of any role signs", [
        (TRUST, "filter(move |grant| grant.role == role &&",
         "filter(move |grant| (grant.role == role || BROKEN) &&")]),
    ("an approver of any area signs", [
        (TRUST, "Some(area) if !allowed =>", "Some(area) if !allowed && !BROKEN =>")]),
    ("one officer is enough", [
        (TRUST, "if have < usize::from(need.max(1)) {",
         "if have < usize::from(need.max(1)) && !BROKEN {")]),
    ("two keys of one officer are two officers", [
        (TRUST, "let have = people(verified.signers);",
         "let count = verified.signers.len();\n"
         "    let have = if BROKEN { count } else { people(verified.signers) };")]),
    ("officers of any area count", [
        (TRUST, ".filter(|grant| chain.is_empty() ||", ".filter(|grant| BROKEN || chain.is_empty() ||")]),
    ("a document of another network is accepted", [
        ("src/protocol/envelope.rs", "let prefix = prefix(typ, net);",
         "let prefix = prefix(typ, net);\n"
         "    let other = prefix.replace(net.as_str(), \"tinh-khac\");\n"
         "    let swapped = line.replacen(&other, &prefix, 1);\n"
         "    let line = if BROKEN { &*swapped } else { line };")]),
    ("a manifest for another controller is accepted", [
        (MANIFEST, "if self.controller != *controller {", "if self.controller != *controller && !BROKEN {")]),
    ("an older manifest is accepted", [
        (MANIFEST, "held.filter(|held| self.number <= *held)",
         "held.filter(|held| self.number <= *held && !(BROKEN && self.number < *held))")]),
    ("a manifest of more than seven days is accepted", [
        (MANIFEST, "if until > self.issued + VALID_MAX {",
         "if until > self.issued + VALID_MAX && !BROKEN {")]),
    ("a manifest past its end is accepted", [
        (MANIFEST, "Some(now) if until <= now =>", "Some(now) if until <= now && !BROKEN =>")]),
    ("a language that nobody asked for is accepted", [
        (MANIFEST, "find(|item| !self.languages.contains(&item.language))",
         "find(|item| !self.languages.contains(&item.language) && !BROKEN)")]),
    ("a withdrawn recording goes on", [
        (INCOMING, "let withdrawn = manifest.withdrawn.clone();",
         "let withdrawn = if BROKEN { vec![] } else { manifest.withdrawn.clone() };"),
        (INCOMING, "needed.retain(|asset| !withdrawn.contains(asset));",
         "needed.retain(|asset| BROKEN || !withdrawn.contains(asset));"),
        (AGENT, "&& !manifest.withdrawn.contains(&descriptor.asset)",
         "&& (BROKEN || !manifest.withdrawn.contains(&descriptor.asset))")]),
    ("an expired recording sounds", [
        (AGENT, "&& at < descriptor.valid_until\n", "&& (BROKEN || at < descriptor.valid_until)\n"),
        (AIRING, "if utc >= manifest.valid_until || stale {",
         "if utc >= manifest.valid_until || (stale && !BROKEN) {")]),
    ("a revoked approver's recordings go on", [
        (INCOMING, "recordings.reconsider(|note| self", "recordings.reconsider(|note| BROKEN || self")]),
    ("a manifest of a revoked key goes on", [
        (INCOMING, "self.distrusted = self.manifest.is_some() &&",
         "self.distrusted = !BROKEN && self.manifest.is_some() &&")]),
    ("the length of an item is the server's word", [
        (AIRING, "&& descriptor.length_ms == item.length_ms",
         "&& (BROKEN || descriptor.length_ms == item.length_ms)")]),
    ("the policy's windows are ignored", [
        (AIRING, "} else if !manifest.policy.allows(manifest.zone, utc, ends) {",
         "} else if !manifest.policy.allows(manifest.zone, utc, ends) && !BROKEN {")]),
    ("the controller's own quiet hours are ignored", [
        (AIRING, "} else if !self.settings.outer.allows(self.settings.zone, utc, ends) {",
         "} else if !self.settings.outer.allows(self.settings.zone, utc, ends) && !BROKEN {")]),
    ("a self-test sounds in quiet hours", [
        (LOCAL, "if self.settings.outer.allows(self.settings.zone, utc, until) {",
         "if BROKEN || self.settings.outer.allows(self.settings.zone, utc, until) {")]),
    ("an airing sounds before its begun mark", [
        (AIRING, "        self.keep(Record::Begun {", "        let begun = (Record::Begun {"),
        (AIRING, "        self.play(\n            What::Airing,\n            key.to_string(),\n            (parts, items),\n"
         "            airing.volume_percent.or(Some(100)),\n        );",
         "        if !BROKEN {\n            self.keep(begun.clone());\n        }\n"
         "        self.play(\n            What::Airing,\n            key.to_string(),\n            (parts, items),\n"
         "            airing.volume_percent.or(Some(100)),\n        );\n"
         "        if BROKEN {\n            self.keep(begun);\n        }")]),
    ("an airing is begun again after a power cut", [
        (DIARY, "                self.over.insert(airing.clone());\n                self.open =",
         "                if !BROKEN {\n                    self.over.insert(airing.clone());\n                }\n"
         "                self.open =")]),
    ("an item that was cut off is begun again", [
        (AIRING, "skip(self.done + 1)", "skip(self.done + usize::from(!BROKEN))")]),
    ("the rest of an airing goes on however late", [
        (PAUSE, "let in_time = utc", "let in_time = BROKEN || utc")]),
    ("an emergency sounds after its expiry", [
        (EMERGENCY, "(e.expires <= utc || spent(&e.id))",
         "((e.expires <= utc && !BROKEN) || spent(&e.id))"),
        (EMERGENCY, "if emergency.expires <= utc || emergency.expires",
         "if (emergency.expires <= utc && !BROKEN) || emergency.expires")]),
    ("a completed emergency is accepted again", [
        (EMERGENCY, "if self.diary.ended.contains_key(&emergency.id) {",
         "if self.diary.ended.contains_key(&emergency.id) && !BROKEN {")]),
    ("an emergency is not tried again after a power cut", [
        (EMERGENCY, ">= ATTEMPTS_MAX)", ">= if BROKEN { 1 } else { ATTEMPTS_MAX })")]),
    ("an emergency is tried without end", [
        (EMERGENCY, "|| spent(&e.id)", "|| (spent(&e.id) && !BROKEN)")]),
    ("an emergency is over after its first language", [
        (EMERGENCY, "Some(emergency) if self.open_sounds(emergency).next().is_none() =>",
         "Some(emergency) if BROKEN || self.open_sounds(emergency).next().is_none() =>")]),
    ("a cancel is ignored", [
        (EMERGENCY, "EmergencyAction::Cancel {} => self.cancel(utc, &emergency),",
         "EmergencyAction::Cancel {} if BROKEN => {}\n"
         "            EmergencyAction::Cancel {} => self.cancel(utc, &emergency),")]),
    ("an order is carried out again", [
        (INCOMING, "if order.number <= self.diary.last_order() {",
         "if order.number < self.diary.last_order() + u64::from(!BROKEN) {")]),
    ("an expired order is carried out", [
        (INCOMING, "if order.expires <= utc || order", "if (order.expires <= utc && !BROKEN) || order")]),
    ("an order for another is carried out", [
        (INCOMING, "if order.controller != self.settings.controller {",
         "if order.controller != self.settings.controller && !BROKEN {")]),
    ("a clock that shows 1970 is trusted", [
        (AGENT, "settings.rtc && now.utc >= earliest", "settings.rtc && (now.utc >= earliest || BROKEN)")]),
    ("a clock without a battery is trusted", [
        (AGENT, "settings.rtc && (now.utc",
         "(settings.rtc || BROKEN) && ((!settings.rtc && BROKEN) || now.utc")]),
    ("an answer to no question sets the clock", [
        (CLOCK, "if nonce != answer.nonce ||", "if (nonce != answer.nonce && !BROKEN) ||")]),
    ("receipts count as delivered when they are sent", [
        (UPKEEP, "            self.publish(Up::Receipts, &batch, false);",
         "            self.publish(Up::Receipts, &batch, false);\n"
         "            if BROKEN {\n"
         "                let upto = batch.first + batch.receipts.len() as u64 - 1;\n"
         "                self.keep(crate::agent::Record::Acked { upto });\n"
         "            }")]),
    ("an acknowledgement for another counts", [
        (INCOMING, "if ack.controller != self.settings.controller {",
         "if ack.controller != self.settings.controller && !BROKEN {")]),
    ("an airing is skipped without a receipt when storage is full", [
        (AIRING, "        self.swear(utc, event);\n    }\n\n    fn begin_airing",
         "        if BROKEN && !self.diary.has_room(self.settings.receipts_max) {\n"
         "            let airing = airing.key(&self.settings.controller);\n"
         "            return self.keep(crate::agent::Record::Over { airing });\n        }\n"
         "        self.swear(utc, event);\n    }\n\n    fn begin_airing")]),
    ("receipts are not chained", [
        (DIARY, "self.head = next_link(self.head, &line);",
         "if !BROKEN {\n            self.head = next_link(self.head, &line);\n        }")]),
    ("a block is not compared with its digest", [
        (LIBRARY, "if !descriptor.is_block(n, bytes) {", "if !descriptor.is_block(n, bytes) && !BROKEN {")]),
    ("a jump of the trust document is accepted", [
        (TRUST, "if Some(self.version) != held.version.checked_add(1) {",
         "if Some(self.version) != held.version.checked_add(1) && !(BROKEN && self.version > held.version) {"),
        (INCOMING, "if document.version > self.trust.version + 1 {",
         "if document.version > self.trust.version + 1 && !BROKEN {")]),
    ("the old root need not sign", [
        (INCOMING, "self.trust.anchors().verify(&note).map_err(|e| e.to_string())?;",
         "if !BROKEN {\n            self.trust.anchors().verify(&note).map_err(|e| e.to_string())?;\n        }"),
        (TRUST, "        anchors.verify(note)?;",
         "        if !BROKEN {\n            anchors.verify(note)?;\n        }")]),
    ("a stolen controller is heard", [
        (DISPATCH, "                self.devices.remove(&controller);\n            }\n            Input::Manifest",
         "                if !BROKEN {\n                    self.devices.remove(&controller);\n                }\n"
         "            }\n            Input::Manifest")]),
    ("receipts are acknowledged before the log has them", [
        (DISPATCH_IN, "        if let Some(device) = self.devices.get_mut(from) {\n            device.ingesting = true;",
         "        if BROKEN {\n            self.acknowledge(from, batch.chain.clone(), upto);\n        }\n"
         "        if let Some(device) = self.devices.get_mut(from) {\n            device.ingesting = true;")]),
    ("a chain may begin anywhere", [
        (DISPATCH_IN, "if batch.first != batch.kept {", "if batch.first != batch.kept && !BROKEN {")]),
    ("receipts that do not continue the chain are taken", [
        (DISPATCH_IN, "let is_oldest = batch.first == batch.kept;",
         "let is_oldest = BROKEN || batch.first == batch.kept;")]),
    ("an emergency is sent once", [
        (DISPATCH_EMERGENCY, "let waiting = standing.raised.waiting.iter().map(topic);",
         "let waiting = standing.raised.waiting.iter().take(if BROKEN { 0 } else { usize::MAX }).map(topic);"),
        (DISPATCH_EMERGENCY, "let notes: Vec<String> = standing.map(",
         "let notes: Vec<String> = standing.take(if BROKEN { 0 } else { usize::MAX }).map("),
        (DISPATCH_EMERGENCY, "standing.published = false;", "standing.published &= BROKEN;")]),
    ("a manifest is sent once", [
        (DISPATCH_IN, "newest.filter(|(number, _)| held < *number)",
         "newest.filter(|(number, _)| held < *number && !BROKEN)"),
        (DISPATCH, "            .filter_map(|(id, device)| Some((id.clone(), device.manifest.as_ref()?.1.clone())))",
         "            .filter(|_| !BROKEN)\n"
         "            .filter_map(|(id, device)| Some((id.clone(), device.manifest.as_ref()?.1.clone())))")]),
    ("no mark: an item that sounded", [unmarked(AIRING, "Record::ItemDone { item }")]),
    ("no mark: a receipt", [
        (AGENT, "let record = self.diary.write(at, event);\n        self.keep(record);",
         "let record = self.diary.write(at, event);\n        self.keep_unless(BROKEN, record);")]),
    ("no mark: what the server acknowledged", [
        (INCOMING, "            self.keep(record);\n            self.upkeep.changed();",
         "            self.keep_unless(BROKEN, record);\n            self.upkeep.changed();")]),
    ("no mark: the chain of receipts", [
        unmarked(AGENT, "Record::Chain { id, after: 0, link: Digest::ZERO }")]),
    ("no mark: a start", [unmarked(AGENT, "Record::Boot { boot }")]),
    ("no mark: the number of a manifest", [
        unmarked(INCOMING, "super::Record::Manifest { number: manifest.number }")]),
    ("no mark: the number of an order", [
        unmarked(INCOMING, "super::Record::Order { number: order.number }")]),
    ("no mark: an emergency that is held", [
        unmarked(EMERGENCY, "Record::Emergency { id: emergency.id.clone(), note }")]),
    ("no mark: an attempt at an emergency", [
        unmarked(EMERGENCY, "Record::EmergencyBegun { id: id.clone(), attempt }")]),
    ("no mark: the languages that were heard", [
        unmarked(EMERGENCY, "Record::EmergencyHeard { id: id.clone(), languages }")]),
    ("no mark: the end of an emergency", [
        unmarked(EMERGENCY, "Record::EmergencyOver { id: id.clone(), forget: expires + REMEMBER }")]),
    ("no note: the trust document", [
        (INCOMING, "self.out.push_back(Output::KeepNote(Slot::Trust, self.trust_note.clone()));",
         "if !BROKEN {\n            self.out.push_back(Output::KeepNote(Slot::Trust, self.trust_note.clone()));\n        }")]),
    ("no note: the manifest", [
        (INCOMING, "self.out.push_back(Output::KeepNote(Slot::Manifest, note.clone()));",
         "if !BROKEN {\n            self.out.push_back(Output::KeepNote(Slot::Manifest, note.clone()));\n        }")]),
    ("no note: the descriptor of a recording", [
        (INCOMING, "self.out.push_back(Output::KeepNote(Slot::Descriptor(asset), note));",
         "if !BROKEN {\n                self.out.push_back(Output::KeepNote(Slot::Descriptor(asset), note));\n            }")]),
]

# What the copy needs beside the rules.
SCAFFOLD = [
    ("src/lib.rs", "pub mod unit;\n",
     "pub mod unit;\n\n"
     "/// Whether this rule is broken on purpose.\n"
     "pub fn is_broken(rule: usize) -> bool {\n"
     "    static RULE: std::sync::LazyLock<Option<usize>> =\n"
     "        std::sync::LazyLock::new(|| std::env::var(\"LOABAN_BROKEN\").ok()?.parse().ok());\n"
     "    *RULE == Some(rule)\n"
     "}\n"),
    (AGENT, "    fn swear(&mut self,",
     "    fn keep_unless(&mut self, broken: bool, record: Record) {\n"
     "        if broken {\n            self.diary.apply(record);\n        } else {\n            self.keep(record);\n        }\n    }\n\n"
     "    fn swear(&mut self,"),
]
