-- When within its airing an item sounds: how long the opening lasts and how long the pauses are. Not
-- known of airings that an earlier release named.

alter table airing add column lead_ms bigint;
alter table airing add column gap_ms bigint;
