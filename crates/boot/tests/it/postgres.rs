//! The private cluster: who it runs as, whose it is, and what survives.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use boot::postgres::{Cluster, PostgresError};

use crate::support::{Folder, Launcher, connect, kill, text, within};

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn the_server_has_no_privileges_no_tcp_port_and_a_socket_that_only_its_owner_reaches() {
    let folder = Folder::named("private");
    let cluster = Cluster::start(folder.quick()).await.unwrap();

    let status = fs::read_to_string(format!("/proc/{}/status", cluster.postmaster().unwrap())).unwrap();
    assert!(status.lines().any(|line| line == "CapEff:\t0000000000000000"), "{status}");
    assert_eq!(mode(cluster.socket_dir()), 0o700);
    assert_eq!(mode(&folder.path().join("postgres")), 0o700);
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "show listen_addresses").await, "");
    assert_eq!(text(&mut connection, "show server_encoding").await, "UTF8");
    assert_eq!(text(&mut connection, "show data_checksums").await, "on");
    assert_eq!(text(&mut connection, "select lower('ÄÖÜ')").await, "äöü");
    cluster.stop().await;
}

#[tokio::test]
async fn a_folder_for_the_socket_that_was_open_to_others_is_closed() {
    let folder = Folder::named("open");
    let sockets = folder.path().join("run");
    fs::create_dir_all(&sockets).unwrap();
    fs::set_permissions(&sockets, Permissions::from_mode(0o777)).unwrap();
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    assert_eq!(mode(cluster.socket_dir()), 0o700);
    cluster.stop().await;
}

#[tokio::test]
async fn a_second_start_finds_the_data_of_the_first() {
    let folder = Folder::named("again");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    sqlx::query("create table kept as select 7 as n").execute(&mut connection).await.unwrap();
    cluster.stop().await;

    let cluster = Cluster::start(folder.quick()).await.unwrap();
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "select n::text from kept").await, "7");
    cluster.stop().await;
    assert!(folder.is_quiet_within(0), "a stopped cluster has no process left");
}

#[tokio::test]
async fn a_directory_in_use_is_refused_with_the_process_that_uses_it() {
    let folder = Folder::on_disk("taken");
    let launcher = Launcher::start(&folder, None);
    let refused = Cluster::start(folder.durable()).await.unwrap_err();
    let dir = folder.path().canonicalize().unwrap();
    let sentence = format!("another Updraft uses {} (process {})", dir.display(), launcher.id());
    assert_eq!(refused.to_string(), sentence);
}

#[tokio::test]
async fn a_killed_launcher_leaves_no_server_behind_and_no_commit_is_lost() {
    let folder = Folder::on_disk("killed");
    let mut launcher = Launcher::start(&folder, None);
    let mut connection = connect(&launcher.options()).await;
    sqlx::query("create table kept as select 7 as n").execute(&mut connection).await.unwrap();
    launcher.kill();
    assert!(folder.is_quiet_within(10), "Postgres ends with its launcher");

    let cluster = Cluster::start(folder.durable()).await.unwrap();
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "select n::text from kept").await, "7");
    cluster.stop().await;
}

#[tokio::test]
async fn when_launcher_and_server_are_killed_at_once_the_next_start_recovers_every_commit() {
    let folder = Folder::on_disk("crashed");
    let mut launcher = Launcher::start(&folder, None);
    let mut connection = connect(&launcher.options()).await;
    sqlx::query("create table kept as select 7 as n").execute(&mut connection).await.unwrap();
    kill(launcher.postmaster);
    launcher.kill();

    let cluster = Cluster::start(folder.durable()).await.unwrap();
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "select n::text from kept").await, "7");
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("automatic recovery in progress"), "{log}");
    cluster.stop().await;
}

#[tokio::test]
async fn a_process_id_that_is_in_use_again_does_not_stop_the_next_start() {
    let folder = Folder::named("reused");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    cluster.stop().await;
    // As after a crash of the machine: the file names a process that lives, but is this test.
    let pid = std::process::id();
    let stale = format!("{pid}\n{}\n0\n5432\n\n\n\nready\n", folder.path().join("postgres").display());
    fs::write(folder.path().join("postgres/postmaster.pid"), stale).unwrap();

    Cluster::start(folder.quick()).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_killed_server_is_started_anew_and_a_pool_finds_it_again() {
    let folder = Folder::named("anew");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    let pool = sqlx::PgPool::connect_with(cluster.superuser_options("postgres")).await.unwrap();
    let first = cluster.postmaster().unwrap();
    kill(first);

    let anew = || cluster.postmaster().is_some_and(|pid| pid != first);
    assert!(within(10, anew), "the keeper starts another server");
    while sqlx::query("select 1").execute(&pool).await.is_err() {
        // Between two servers there is no socket for a moment.
        tokio::task::yield_now().await;
    }
    pool.close().await;
    cluster.stop().await;
}

#[tokio::test]
async fn a_server_that_ends_again_and_again_is_given_up() {
    let folder = Folder::named("hopeless");
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    let killer = async {
        loop {
            if let Some(pid) = cluster.postmaster() {
                kill(pid);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let error = tokio::select! {
        error = cluster.given_up() => error,
        () = killer => unreachable!("the killer never rests"),
    };
    assert!(error.to_string().starts_with("Postgres ended 6 times within a minute"), "{error}");
}

#[tokio::test]
async fn data_of_another_major_version_are_refused_and_not_touched() {
    let folder = Folder::named("other");
    let data = folder.path().join("postgres");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();

    let refused = Cluster::start(folder.quick()).await.unwrap_err();
    assert!(matches!(refused, PostgresError::OtherVersion { data: 9, .. }), "{refused}");
    let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["PG_VERSION"]);
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_obstacle() {
    let folder = Folder::named(&"long".repeat(30));
    let cluster = Cluster::start(folder.quick()).await.unwrap();
    assert!(!cluster.socket_dir().starts_with(folder.path()));
    assert_eq!(mode(cluster.socket_dir()), 0o700);
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "select 'here'").await, "here");
    let sockets = cluster.socket_dir().to_owned();
    cluster.stop().await;
    fs::remove_dir(sockets).unwrap();
}

#[tokio::test]
async fn where_user_namespaces_are_refused_root_hands_the_data_to_an_unprivileged_user_and_back() {
    if !is_root() {
        return;
    }
    let tools = Folder::on_disk("refusal");
    fs::create_dir_all(tools.path()).unwrap();
    let unshare = tools.path().join("unshare");
    fs::write(&unshare, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&unshare, Permissions::from_mode(0o755)).unwrap();

    let folder = Folder::on_disk("handed");
    let launcher = Launcher::start(&folder, Some(tools.path()));
    let server = fs::metadata(format!("/proc/{}", launcher.postmaster)).unwrap();
    assert_ne!(server.uid(), 0, "the server is not root's");
    assert_eq!(fs::metadata(folder.path().join("postgres")).unwrap().uid(), server.uid());
    let mut connection = connect(&launcher.options()).await;
    sqlx::query("create table kept as select 7 as n").execute(&mut connection).await.unwrap();
    drop(launcher);
    assert!(folder.is_quiet_within(10), "it ends with its launcher here, too");

    let cluster = Cluster::start(folder.durable()).await.unwrap();
    let mut connection = connect(&cluster.superuser_options("postgres")).await;
    assert_eq!(text(&mut connection, "select n::text from kept").await, "7");
    cluster.stop().await;
}
