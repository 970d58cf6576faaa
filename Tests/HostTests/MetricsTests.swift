import Metrics
import MurmurHost
import MurmurIdentity
import MurmurWire
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// What is counted, and how it is written.
@Suite struct RegistryTests {
  @Test func `each kind of metric is written as Prometheus reads it`() {
    let registry = PrometheusRegistry(help: ["b_total": "Two lines\nand a \\."])
    Counter(label: "b_total", dimensions: [("kind", "a \"quoted\"\nname\\")], factory: registry).increment(by: 3)
    Counter(label: "b_total", dimensions: [("kind", "z"), ("a", "1")], factory: registry).increment()
    let gauge = Gauge(label: "a.gauge", dimensions: [], factory: registry)
    gauge.record(1.5)
    gauge.record(-2)
    let timer = Metrics.Timer(label: "c_seconds", dimensions: [], factory: registry)
    timer.recordNanoseconds(3_000_000)
    timer.recordSeconds(60)
    let expected = """
      # TYPE a_gauge gauge
      a_gauge -2
      # HELP b_total Two lines\\nand a \\\\.
      # TYPE b_total counter
      b_total{a="1",kind="z"} 1
      b_total{kind="a \\"quoted\\"\\nname\\\\"} 3
      # TYPE c_seconds histogram
      c_seconds_bucket{le="0.0005"} 0

      """
    let text = registry.text()
    #expect(text.hasPrefix(expected), "\(text)")
    #expect(text.contains("c_seconds_bucket{le=\"0.005\"} 1\n") && text.contains("c_seconds_bucket{le=\"10\"} 1\n"))
    #expect(text.contains("c_seconds_bucket{le=\"+Inf\"} 2\nc_seconds_sum 60.003\nc_seconds_count 2\n"))
  }

  @Test func `numbers that are none are written as such, and names that are none are made some`() {
    let registry = PrometheusRegistry()
    for (name, value) in [("nan", Double.nan), ("up", .infinity), ("down", -.infinity), ("small", 1e-9), ("9 lives!", 9)] {
      Gauge(label: name, dimensions: [("x-y", "1")], factory: registry).record(value)
    }
    let text = registry.text()
    for line in [
      "nan{x_y=\"1\"} NaN", "up{x_y=\"1\"} +Inf", "down{x_y=\"1\"} -Inf", "small{x_y=\"1\"} 1e-09", "_9_lives_{x_y=\"1\"} 9",
    ] {
      #expect(text.contains(line + "\n"), "\(text)")
    }
  }

  @Test func `the number of series is bounded, and what is beyond is counted`() {
    var limits = PrometheusRegistry.Limits()
    (limits.series, limits.families) = (10, 5)
    let registry = PrometheusRegistry(limits: limits)
    for number in 0..<100 { Counter(label: "a_total", dimensions: [("n", "\(number)")], factory: registry).increment() }
    for number in 0..<100 { Gauge(label: "g\(number)", dimensions: [], factory: registry).record(1) }
    Gauge(label: "a_total", dimensions: [], factory: registry).record(1)
    let text = registry.text()
    #expect(text.split(separator: "\n").count { $0.hasPrefix("a_total{") } == 10)
    #expect(text.contains("murmur_metrics_refused_series_total 191\n"), "\(text)")
  }

  @Test func `the same name and labels are the same series, until it is destroyed`() {
    let registry = PrometheusRegistry()
    let one = Counter(label: "a_total", dimensions: [("x", "1"), ("y", "2")], factory: registry)
    let same = Counter(label: "a_total", dimensions: [("y", "2"), ("x", "1")], factory: registry)
    one.increment(by: 2)
    same.increment(by: 3)
    #expect(registry.text().contains("a_total{x=\"1\",y=\"2\"} 5\n"))
    one.destroy()
    #expect(!registry.text().contains("a_total"))
  }

  @Test func `many threads count, and nothing is lost`() async throws {
    let registry = PrometheusRegistry()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let counter = Counter(label: "n_total", dimensions: [], factory: registry)
          let meter = Meter(label: "m", dimensions: [], factory: registry)
          let recorder = Recorder(label: "r", dimensions: [], factory: registry)
          for _ in 0..<10_000 {
            counter.increment()
            meter.increment(by: 1)
            recorder.record(2)
          }
        }
      }
    }
    let text = registry.text()
    for line in ["n_total 40000", "m 40000", "r_count 40000", "r_sum 80000"] { #expect(text.contains(line + "\n"), "\(line)") }
  }

  @Test func `two transports that talk are counted, each by its own collector`() async throws {
    let (hers, his) = (PrometheusRegistry.ofNode(), PrometheusRegistry.ofNode())
    let alice = Host("alice") { $0.metrics = hers }
    let bob = Host("bob") { $0.metrics = his }
    let bound = try await bob.listen()
    let link = try await alice.transport.dial(bound).get()
    let stream = try await WaitingStream.open(link, ["/echo/1"])
    try await stream.write([1, 2, 3])
    #expect(try await stream.read(3) == [1, 2, 3])
    try await bob.transport.close().get()
    await #expect(throws: TransportError.self) { try await alice.transport.dial(bound).get() }
    try await alice.transport.close().get()
    let (here, there) = (hers.text(), his.text())
    for line in ["dials_total{result=\"connected\"} 1", "dials_total{result=\"failed\"} 1", "streams_total{opened=\"here\"} 1"] {
      #expect(here.contains("murmur_transport_\(line)\n"), "\(line): \(here)")
    }
    for line in ["accepted_connections_total 1", "streams_total{opened=\"there\"} 1", "dials_total{result=\"connected\"} 0"] {
      #expect(there.contains("murmur_transport_\(line)\n"), "\(line): \(there)")
    }
    #expect(
      !here.contains("murmur_transport_sent_bytes_total 0\n") && !there.contains("murmur_transport_received_bytes_total 0\n"))
  }
}

/// The endpoint, as whoever is kind and whoever is not sees it.
@Suite struct MetricsEndpointTests {
  private func endpoint(_ configure: (inout MetricsEndpoint.Limits) -> Void = { _ in }) async throws -> MetricsEndpoint {
    let registry = PrometheusRegistry()
    Counter(label: "asked_total", dimensions: [], factory: registry).increment()
    var limits = MetricsEndpoint.Limits()
    // Where no time is of the story: on a machine that is busy with other tests, ten seconds may pass between connecting and asking.
    limits.time = .minutes(10)
    configure(&limits)
    return try await MetricsEndpoint.start(
      at: SocketAddress(ipAddress: "127.0.0.1", port: 0), registry: registry, version: "1.2.3", group: loops, limits: limits)
  }

  /// Sends pieces and returns what came until the connection was closed.
  private func ask(_ endpoint: MetricsEndpoint, _ pieces: [String]) async throws -> String {
    let address = try #require(endpoint.address)
    let reader = Reader()
    let channel = try await ClientBootstrap(group: loops)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(reader.handler) }
      }
      .connect(to: address).get()
    for piece in pieces { try? await channel.writeAndFlush(ByteBuffer(string: piece)).get() }
    try await channel.closeFuture.get()
    return reader.text
  }

  @Test func `GET of /metrics is answered with the metrics, and the process's own`() async throws {
    let endpoint = try await endpoint()
    let answer = try await ask(endpoint, ["GET /metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    #expect(
      answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
    #expect(answer.contains("\nasked_total 1\n") && answer.contains("\nmurmur_build_info{version=\"1.2.3\"} 1\n"))
    #if os(Linux)
    for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
      #expect(answer.contains("\n\(name) "))
    }
    #endif
    try await endpoint.close()
  }

  @Test func `other paths, methods and bodies, and what is no HTTP, get no metrics`() async throws {
    let endpoint = try await endpoint()
    let manyHeaders = String(repeating: "x: y\r\n", count: 100)
    let long = String(repeating: "y", count: 20_000)
    let cases: [(String, String)] = [
      ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404"), ("GET /metrics/../x HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
      ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "405"),
      ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405"), ("rubbish\r\n\r\n", "400"),
      ("GET /metrics HTTP/1.1\r\n\(manyHeaders)\r\n", ""), ("GET /metrics HTTP/1.1\r\nx: \(long)\r\n\r\n", ""),
      ("GET /\(long)\(long)\(long)\(long)\(long) HTTP/1.1\r\n\r\n", ""),
    ]
    for (request, code) in cases {
      let answer = try await ask(endpoint, [request])
      #expect(!answer.contains("asked_total"), "\(request.prefix(40))")
      if !code.isEmpty { #expect(answer.hasPrefix("HTTP/1.1 \(code) "), "\(request.prefix(40)): \(answer)") }
    }
    try await endpoint.close()
  }

  @Test func `whoever says nothing, or half of something, is let go in time, and keeps nobody out for longer`() async throws {
    let endpoint = try await endpoint {
      $0.connections = 3
      $0.time = .milliseconds(500)
    }
    let address = try #require(endpoint.address)
    var silent: [any Channel] = []
    for number in 0..<3 {
      let channel = try await ClientBootstrap(group: loops).connect(to: address).get()
      // On a slow machine it may have been let go already.
      if number == 1 { try? await channel.writeAndFlush(ByteBuffer(string: "GET /metr")).get() }
      silent.append(channel)
    }
    for channel in silent { try await channel.closeFuture.get() }
    // A machine that is busy with other tests may take longer than a connection lives.
    var answer = ""
    for _ in 0..<20 where answer.isEmpty {
      answer = try await ask(endpoint, ["GET /metrics HTTP/1.1\r\n", "Host: a\r\n\r\n"])
    }
    #expect(answer.contains("asked_total 1"))
    try await endpoint.close()
    await #expect(throws: (any Error).self) { try await ClientBootstrap(group: loops).connect(to: address).get() }
  }
}

/// Collects what comes as text.
private final class Reader: Sendable {
  private let box = NIOLockedValueBox<[UInt8]>([])
  var text: String { String(decoding: box.withLockedValue { $0 }, as: UTF8.self) }
  var handler: Handler { Handler(box) }

  final class Handler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let box: NIOLockedValueBox<[UInt8]>
    init(_ box: NIOLockedValueBox<[UInt8]>) { self.box = box }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let buffer = unwrapInboundIn(data)
      box.withLockedValue { $0 += buffer.readableBytesView }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
