//! What villagers asked, and apart from it what must not enter the log as it is.

use crate::audit::commitment::Salt;
use crate::bulletin::Question;
use crate::digest::Digest;
use crate::id::{PersonId, QuestionId};
use crate::store::{Store, StoreError, Tx, document, json, text};

/// A text to which the log has only a commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it is: `asker`, `text` or `answer`.
    pub part: &'static str,
    /// What opens the commitment.
    pub salt: Salt,
    /// The text.
    pub body: String,
}

impl Tx {
    /// Puts `question` in the place of `before`, which nobody may have changed meanwhile; `false`
    /// where somebody did, and nothing is changed then.
    pub async fn put_question(
        &mut self,
        before: Option<&Question>,
        question: &Question,
    ) -> Result<bool, StoreError> {
        let asked = question.asked();
        let statement = match before {
            None => {
                "insert into question (id, state, taken, doc) values ($1, $2, $3, $4)
                 on conflict (id) do nothing"
            }
            Some(_) => {
                "update question set state = $2, taken = $3, doc = $4 where id = $1 and doc = $5"
            }
        };
        let query = sqlx::query(statement)
            .bind(asked.id.as_str())
            .bind(question.state())
            .bind(asked.taken.at.micros())
            .bind(json(question));
        let query = match before {
            None => query,
            Some(before) => query.bind(json(before)),
        };
        let done = query.execute(&mut *self.inner).await;
        Ok(done.map_err(StoreError::query("keep a question"))?.rows_affected() == 1)
    }

    /// Keeps what opens a commitment of the log.
    pub async fn put_secret(
        &mut self,
        question: &QuestionId,
        secret: &Secret,
    ) -> Result<(), StoreError> {
        // A digest of 32 bytes is written as 64 hexadecimal digits; so is a salt.
        let salt = Digest::from_bytes(*secret.salt.bytes()).to_string();
        let query = sqlx::query(
            "insert into question_secret (question, part, salt, body) values ($1, $2, $3, $4)",
        );
        query
            .bind(question.as_str())
            .bind(secret.part)
            .bind(salt)
            .bind(&secret.body)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("keep who asked"))?;
        Ok(())
    }
}

impl Tx {
    /// Keeps what opens a commitment to somebody's name.
    pub async fn put_person_secret(
        &mut self,
        person: &PersonId,
        salt: &Salt,
        name: &str,
    ) -> Result<(), StoreError> {
        let salt = Digest::from_bytes(*salt.bytes()).to_string();
        sqlx::query(
            "insert into person_secret (person, part, salt, body) values ($1, 'name', $2, $3)",
        )
        .bind(person.as_str())
        .bind(salt)
        .bind(name)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::query("keep a name"))?;
        Ok(())
    }

    /// Forgets a name and what opens the commitments to it; `name` stands in its place.
    pub async fn erase_person(&mut self, person: &PersonId, name: &str) -> Result<(), StoreError> {
        sqlx::query("delete from person_secret where person = $1")
            .bind(person.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("erase a name"))?;
        sqlx::query("update person set name = $2 where id = $1")
            .bind(person.as_str())
            .bind(name)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("erase a name"))?;
        Ok(())
    }

    /// Forgets who asked and what opens the commitments to a question; returns how many.
    pub async fn erase_asker(&mut self, question: &QuestionId) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from question_secret where question = $1")
            .bind(question.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::query("erase who asked"))?;
        Ok(done.rows_affected())
    }
}

impl Store {
    /// Every question, oldest first.
    pub async fn questions(&self) -> Result<Vec<Question>, StoreError> {
        let rows = sqlx::query("select doc from question order by taken, id")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::query("read the questions"))?;
        rows.iter().map(|row| document("question", &text(row, 0)?)).collect()
    }

    /// One question.
    pub async fn question(&self, id: &QuestionId) -> Result<Option<Question>, StoreError> {
        let row = sqlx::query("select doc from question where id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::query("read a question"))?;
        row.map(|row| document("question", &text(&row, 0)?)).transpose()
    }

    /// Who asked, where it was noted.
    pub async fn asker(&self, id: &QuestionId) -> Result<Option<String>, StoreError> {
        let row =
            sqlx::query("select body from question_secret where question = $1 and part = 'asker'")
                .bind(id.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::query("read who asked"))?;
        row.map(|row| text(&row, 0)).transpose()
    }
}
