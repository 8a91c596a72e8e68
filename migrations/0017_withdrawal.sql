-- An announcement that was taken back before anybody approved it: when, by whom, why.
alter table announcement add column withdrawn text;
