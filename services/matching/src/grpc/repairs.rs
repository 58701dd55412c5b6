//! Repairs, for the programme office to look at.

use boot::{Page, unavailable};
use identity::{RepairId, Resource, TandemId};
use proto::matching as api;
use proto::time;
use tonic::{Request, Status};

use super::id;
use crate::Matching;
use crate::codec;
use crate::domain::repair::Change;
use crate::views::repairs::{self, RepairRow};

impl Matching {
    pub(super) async fn repairs(
        &self,
        request: Request<api::ListRepairsRequest>,
    ) -> Result<api::ListRepairsResponse, Status> {
        let call = self.desk.receive(request).await?;
        call.allow(&Resource::everything())?;
        let page = Page::<RepairId>::of(call.message.page_size, &call.message.page_token)?;
        let edition = id("edition_id", &call.message.edition_id)?;
        let rows = repairs::page(&self.pool, edition, page.after, page.fetch()).await;
        let (rows, next_page_token) = page.cut(rows.map_err(unavailable)?, |row| row.key.repair);
        Ok(api::ListRepairsResponse { repairs: rows.iter().map(shown).collect(), next_page_token })
    }
}

fn shown(row: &RepairRow) -> api::Repair {
    use api::repair::State;
    let repair = api::Repair {
        repair_id: row.key.repair.to_string(),
        edition_id: row.key.edition.to_string(),
        ended_tandem_id: row.key.ended.to_string(),
        mentee_person_id: row.key.mentee.to_string(),
        frontier: row.frontier.iter().copied().map(codec::price_to_proto).collect(),
        decide_time: Some(time::to_proto(row.decided_at)),
        ..api::Repair::default()
    };
    match row.change {
        Change::Offered { tandem, moved } => {
            let text = |id: TandemId| id.to_string();
            api::Repair {
                state: State::Offered.into(),
                offered_tandem_id: text(tandem),
                moved_tandem_id: moved.map(|(from, _)| text(from)).unwrap_or_default(),
                replacement_tandem_id: moved.map(|(_, to)| text(to)).unwrap_or_default(),
                ..repair
            }
        }
        Change::Waits(_) if !row.needed => api::Repair { state: State::Settled.into(), ..repair },
        Change::Waits(waiting) => api::Repair {
            state: State::Waiting.into(),
            waiting_reason: codec::waiting_to_proto(waiting).into(),
            ..repair
        },
    }
}
