-- What bulletins are found by: their words without marks and capitals. Derived from `bulletin` and `version`, and
-- written anew with them; `language` is empty for the words of the bulletin itself.
create table bulletin_word (
    word text not null,
    bulletin text not null,
    language text not null,
    primary key (word, bulletin, language)
);
create index bulletin_word_of on bulletin_word (bulletin, language);

-- What villagers asked.
create table question (
    id text primary key,
    state text not null,
    taken bigint not null,
    doc text not null
);

-- What must not enter the log as it is: the log has a commitment to it, which `salt` (64 hexadecimal digits) opens.
-- `part` is `asker`, `text` or `answer`. Each salt is used once.
create table question_secret (
    question text not null,
    part text not null,
    salt text not null,
    body text not null,
    primary key (question, part, salt)
);
