//! Datagrams, there and back.

use tokio::net::UdpSocket;

use super::*;

async fn receive(socket: &UdpSocket) -> (Vec<u8>, std::net::SocketAddr) {
    let mut buffer = vec![0; 1500];
    let (count, from) = timeout(WITHIN, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    buffer.truncate(count);
    (buffer, from)
}

async fn client(proxy: &Proxy) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(authority(proxy)).await.unwrap();
    client
}

#[tokio::test]
async fn datagrams_pass_until_they_are_dropped_or_cut() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: server.local_addr().unwrap().port(),
        policy_port: None,
    };
    let proxy = Proxy::start(address, Vec::new()).await.unwrap();
    let (first, second) = (client(&proxy).await, client(&proxy).await);
    first.send(b"one").await.unwrap();
    let (said, first_flow) = receive(&server).await;
    assert_eq!(said, b"one");
    second.send(b"two").await.unwrap();
    let (said, second_flow) = receive(&server).await;
    assert_eq!(said, b"two");
    // Each client hears its own answer.
    server.send_to(b"for two", second_flow).await.unwrap();
    server.send_to(b"for one", first_flow).await.unwrap();
    assert_eq!(receive(&first).await.0, b"for one");
    assert_eq!(receive(&second).await.0, b"for two");

    // What is dropped is counted; the next one that arrives is the one behind it.
    proxy.treat("webtransport", Treatment::Mute);
    first.send(b"dropped").await.unwrap();
    recorded(&proxy, |all| all[0].from_page == 2).await;
    server.send_to(b"dropped", first_flow).await.unwrap();
    recorded(&proxy, |all| all[0].from_server == 2).await;
    proxy.treat("webtransport", Treatment::Pass);
    first.send(b"three").await.unwrap();
    assert_eq!(receive(&server).await.0, b"three");
    server.send_to(b"for three", first_flow).await.unwrap();
    assert_eq!(receive(&first).await.0, b"for three");

    proxy.cut("webtransport");
    first.send(b"cut").await.unwrap();
    let third = client(&proxy).await;
    third.send(b"four").await.unwrap();
    assert_eq!(receive(&server).await.0, b"four");

    let exchanges = recorded(&proxy, |all| all[0].ended.is_some() && all[1].ended.is_some()).await;
    assert_eq!(exchanges.len(), 3);
    assert_eq!(
        (exchanges[0].method.as_str(), exchanges[0].transport.as_deref()),
        ("UDP", Some("webtransport"))
    );
    assert_eq!(
        (
            exchanges[0].from_page,
            exchanges[0].from_server,
            exchanges[0].body_length
        ),
        (3, 3, 15)
    );
    assert_eq!(proxy.attempts().len(), 1);
}
