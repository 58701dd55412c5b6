//! What was sent, over gRPC.

use boot::{Desk, Page, unavailable};
use identity::Resource;
use jiff::Timestamp;
use proto::notifications as n;
use proto::notifications::notifications_service_server::NotificationsService;
use sqlx::PgPool;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::domain::Kind;
use crate::views::{self, Row};

/// Answers with the caller's own messages.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) desk: Desk,
    pub(crate) pool: PgPool,
}

#[tonic::async_trait]
impl NotificationsService for Inbox {
    async fn list_notifications(
        &self,
        request: Request<n::ListNotificationsRequest>,
    ) -> Result<Response<n::ListNotificationsResponse>, Status> {
        let call = self.desk.receive(request).await?;
        let person = call.person()?;
        call.allow(&Resource::of(person))?;
        let page = Page::<(Timestamp, Uuid)>::of(call.message.page_size, &call.message.page_token)?;
        let rows = views::list(&self.pool, person, page.after, page.fetch()).await.map_err(unavailable)?;
        let (rows, next_page_token) = page.cut(rows, |row| (row.created(), row.notification_id));
        let notifications = rows.iter().map(notification).collect();
        Ok(Response::new(n::ListNotificationsResponse { notifications, next_page_token }))
    }
}

fn notification(row: &Row) -> n::Notification {
    n::Notification {
        notification_id: row.notification_id.to_string(),
        kind: row.kind().map(wire).unwrap_or_default().into(),
        state: state(&row.state).into(),
        edition_id: row.edition_id.to_string(),
        subject_id: row.subject_id.to_string(),
        create_time: Some(proto::time::to_proto(row.created())),
    }
}

fn state(state: &str) -> n::notification::State {
    use n::notification::State as Wire;
    match state {
        "sent" => Wire::Sent,
        "suppressed" => Wire::Suppressed,
        "failed" => Wire::Failed,
        _ => Wire::Pending,
    }
}

fn wire(kind: Kind) -> n::notification::Kind {
    use n::notification::Kind as Wire;
    match kind {
        Kind::ApplicationReceived => Wire::ApplicationReceived,
        Kind::InformationRequested => Wire::InformationRequested,
        Kind::ApplicationAccepted => Wire::ApplicationAccepted,
        Kind::ApplicationWaitlisted => Wire::ApplicationWaitlisted,
        Kind::ApplicationDeclined => Wire::ApplicationDeclined,
        Kind::ObligationDue => Wire::ObligationDue,
        Kind::ObligationOverdue => Wire::ObligationOverdue,
        Kind::TandemProposed => Wire::TandemProposed,
        Kind::TandemActive => Wire::TandemActive,
        Kind::TandemEnded => Wire::TandemEnded,
        Kind::SessionInvitation => Wire::SessionInvitation,
        Kind::SessionCancelled => Wire::SessionCancelled,
        Kind::FollowUpDue => Wire::FollowUpDue,
        Kind::RepairOffered => Wire::RepairOffered,
        Kind::RepairWaiting => Wire::RepairWaiting,
        Kind::TandemInformationNeeded => Wire::TandemInformationNeeded,
    }
}
