//! Lists of users, page by page: the service looks up what it can, the rest of a filter is evaluated here.

use axum::http::StatusCode;
use proto::hris::StoredWorker;
use scim_v2::{filter::Filter, models::errors::ScimType, schema_urns::LIST_RESPONSE};
use serde_json::{Value, json};

use super::{
    filter::{self, Narrowed, Plan},
    query::{Cursor, PAGE_SIZE_MAX, Query, Start},
    refusal::Refusal,
    schema::{Catalogue, Document},
    selection::Selection,
    user,
    workers::Workers,
};

/// As many workers are looked at for one answer, where the filter is none that the service looks up.
const LOOKED_AT_MAX: i32 = 10_000;

/// Answers a query; `users` is the address of all users.
///
/// # Errors
/// 400 `tooMany` if a filter would have more workers looked at than is allowed.
pub(super) async fn answer(
    catalogue: &Catalogue,
    workers: &Workers,
    users: &str,
    query: Query,
) -> Result<Value, Refusal> {
    let Query { filter, selection, start, count } = query;
    let plan = filter.map(|filter| filter::plan(catalogue, filter));
    let Plan { narrowed, rest } = plan.unwrap_or(Plan { narrowed: Narrowed::default(), rest: None });
    let list = List { catalogue, workers, users, narrowed, rest, selection };
    match start {
        _ if !list.narrowed.id.is_empty() => list.single(&start, count).await,
        Start::Index(behind) if list.rest.is_some() => list.searched(behind, count).await,
        Start::Index(behind) => list.indexed(behind, count).await,
        Start::Cursor(cursor) => list.continued(cursor, count).await,
    }
}

struct List<'a> {
    catalogue: &'a Catalogue,
    workers: &'a Workers,
    users: &'a str,
    narrowed: Narrowed,
    rest: Option<Filter>,
    selection: Selection,
}

/// The users of a page, and how the list goes on.
#[derive(Default)]
struct Page {
    users: Vec<Document>,
    total: Option<i32>,
    behind: Option<i32>,
    next: Option<Cursor>,
}

impl List<'_> {
    /// The user that a worker is, if the filter means it.
    fn meant(&self, stored: &StoredWorker) -> Option<Document> {
        let user = user::resource(stored, self.users);
        self.rest.as_ref().is_none_or(|rest| filter::matches(self.catalogue, rest, &user)).then_some(user)
    }

    /// At most one: the filter names its id.
    async fn single(&self, start: &Start, count: i32) -> Result<Value, Refusal> {
        let found = match self.workers.get(&self.narrowed.id).await {
            Ok(stored) => Some(stored),
            Err(refused) if refused.status == StatusCode::NOT_FOUND => None,
            Err(refused) => return Err(refused),
        };
        let users = found.and_then(|stored| self.meant(&stored)).into_iter().collect::<Vec<_>>();
        let total = i32::try_from(users.len()).ok();
        let (behind, shown) = match start {
            Start::Index(behind) => (Some(*behind), *behind == 0 && count > 0),
            Start::Cursor(cursor) => (None, *cursor == Cursor::default()),
        };
        let users = if shown { users } else { Vec::new() };
        Ok(self.envelope(&Page { users, total, behind, next: None }))
    }

    /// By index, where the service looks up everything.
    async fn indexed(&self, behind: i32, count: i32) -> Result<Value, Refusal> {
        let from = Cursor { page_token: String::new(), skip: behind };
        let page = self.workers.list(&self.narrowed, &from, count.max(1)).await?;
        let shown = usize::try_from(count).unwrap_or_default();
        let users = page.workers.iter().take(shown).filter_map(|stored| self.meant(stored)).collect();
        Ok(self.envelope(&Page { users, total: Some(page.total), behind: Some(behind), next: None }))
    }

    /// By index, where every worker has to be looked at to know how many there are.
    async fn searched(&self, behind: i32, count: i32) -> Result<Value, Refusal> {
        let (mut from, mut page, mut total) = (Cursor::default(), Page::default(), 0);
        loop {
            let looked_at = self.workers.list(&self.narrowed, &from, PAGE_SIZE_MAX).await?;
            if looked_at.total > LOOKED_AT_MAX {
                let detail = format!(
                    "The filter would have {} users looked at, more than {LOOKED_AT_MAX}: name a user by userName, externalId, \
                     emails, employeeNumber or id, or walk through the users by cursor.",
                    looked_at.total
                );
                return Err(Refusal::bad(ScimType::TooMany, detail));
            }
            for user in looked_at.workers.iter().filter_map(|stored| self.meant(stored)) {
                if (behind..behind.saturating_add(count)).contains(&total) {
                    page.users.push(user);
                }
                total += 1;
            }
            if looked_at.next_page_token.is_empty() {
                return Ok(self.envelope(&Page { total: Some(total), behind: Some(behind), ..page }));
            }
            from = Cursor { page_token: looked_at.next_page_token, skip: 0 };
        }
    }

    /// By cursor. Where a filter is evaluated here, nobody knows how many there are, and a page may have fewer than it could.
    async fn continued(&self, mut from: Cursor, count: i32) -> Result<Value, Refusal> {
        let (mut page, mut looked_at) = (Page::default(), 0);
        let count = usize::try_from(count).unwrap_or_default();
        loop {
            let missing = count - page.users.len();
            let size = if self.rest.is_some() {
                PAGE_SIZE_MAX
            } else {
                i32::try_from(missing).unwrap_or(PAGE_SIZE_MAX)
            };
            let found = self.workers.list(&self.narrowed, &from, size).await.map_err(foreign_cursor)?;
            page.total = self.rest.is_none().then_some(found.total);
            for (at, stored) in found.workers.iter().enumerate() {
                page.users.extend(self.meant(stored));
                let last = at + 1 == found.workers.len();
                if page.users.len() == count && !last {
                    let passed = i32::try_from(at + 1).unwrap_or_default();
                    page.next = Some(Cursor { skip: from.skip.saturating_add(passed), ..from });
                    return Ok(self.envelope(&page));
                }
            }
            if found.next_page_token.is_empty() {
                return Ok(self.envelope(&page));
            }
            from = Cursor { page_token: found.next_page_token, skip: 0 };
            looked_at += size;
            if page.users.len() == count || looked_at >= LOOKED_AT_MAX {
                page.next = Some(from);
                return Ok(self.envelope(&page));
            }
        }
    }

    fn envelope(&self, page: &Page) -> Value {
        let users = page.users.iter().map(|user| self.selection.cut(self.catalogue, user));
        let users = users.map(Value::Object).collect::<Vec<_>>();
        let mut answer =
            json!({ "schemas": [LIST_RESPONSE], "itemsPerPage": users.len(), "Resources": users });
        if let Some(total) = page.total {
            answer["totalResults"] = json!(total);
        }
        if let Some(behind) = page.behind {
            answer["startIndex"] = json!(i64::from(behind) + 1);
        }
        if let Some(next) = &page.next {
            answer["nextCursor"] = json!(next.to_string());
        }
        answer
    }
}

/// A token that the service does not know came in the client's cursor.
fn foreign_cursor(refused: Refusal) -> Refusal {
    match refused.status {
        StatusCode::BAD_REQUEST => {
            Refusal::bad(super::query::kind("invalidCursor"), "The cursor is none that this server gave.")
        }
        _ => refused,
    }
}
