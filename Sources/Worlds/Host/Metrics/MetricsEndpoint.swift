public import Logging
public import NIOCore
import NIOConcurrencyHelpers
import NIOHTTP1
import NIOPosix

/// Serves what a ``PrometheusRegistry`` collected at `/metrics`, over HTTP/1.1.
///
/// A connection gets one answer and is closed. It has ``Limits/time`` for that, whatever it sends or does not read, and only a request
/// without a body, `GET /metrics`, is answered well. Nothing is encrypted and nobody is asked who he is: bind it to the loopback
/// interface, or to one that others cannot reach.
public final class MetricsEndpoint: Sendable {
  /// How much it allows.
  public struct Limits: Sendable {
    /// Connections at a time; further ones are closed at once.
    public var connections = 16
    /// How long a connection lives.
    public var time = TimeAmount.seconds(10)
    /// Bytes of all headers; more end the connection.
    public var headerBytes = 8 << 10
    /// Headers; more end the connection.
    public var headers = 64

    /// The defaults.
    public init() {}
  }

  private let channel: any Channel
  private let open: NIOLockedValueBox<Open>

  /// The connections there are.
  fileprivate struct Open {
    var channels: [ObjectIdentifier: any Channel] = [:]
  }

  /// Where it listens.
  public var address: SocketAddress? { channel.localAddress }

  private init(_ channel: any Channel, _ open: NIOLockedValueBox<Open>) {
    self.channel = channel
    self.open = open
  }

  /// Listens at `address`, on a loop of `group`. `version` is what `murmur_build_info` tells.
  public static func start(
    at address: SocketAddress, registry: PrometheusRegistry, version: String, group: any EventLoopGroup,
    limits: Limits = Limits(),
    logger: Logger = Logger(label: "murmur.metrics")
  ) async throws -> MetricsEndpoint {
    let open = NIOLockedValueBox(Open())
    let figures = ProcessFigures(version: version)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 16)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        let id = ObjectIdentifier(channel)
        let isWelcome = open.withLockedValue { open in
          guard open.channels.count < limits.connections else { return false }
          open.channels[id] = channel
          return true
        }
        guard isWelcome else { return channel.close() }
        channel.closeFuture.whenComplete { _ in open.withLockedValue { $0.channels[id] = nil } }
        return channel.eventLoop.makeCompletedFuture {
          var decoder = NIOHTTPDecoderLimitConfiguration()
          decoder.maxHeaderListSize = limits.headerBytes
          decoder.maxHeaderFieldSize = limits.headerBytes
          decoder.maxHeaderFieldCount = limits.headers
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: true,
            withEncoderConfiguration: HTTPResponseEncoder.Configuration(),
            withDecoderLimitConfiguration: decoder)
          try channel.pipeline.syncOperations.addHandler(MetricsHandler(registry, figures, limits.time, logger))
        }
      }
    return MetricsEndpoint(try await bootstrap.bind(to: address).get(), open)
  }

  /// Stops listening and closes every connection.
  public func close() async throws {
    let all = open.withLockedValue { open in open.channels.values.map { $0 } }  // house:allow(order) every one is closed
    channel.close(promise: nil)
    for connection in all { connection.close(promise: nil) }
    try await EventLoopFuture.andAllComplete((all + [channel]).map(\.closeFuture), on: channel.eventLoop).get()
  }
}

/// One connection: the first request is answered.
private final class MetricsHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let registry: PrometheusRegistry
  private let figures: ProcessFigures
  private let time: TimeAmount
  private let logger: Logger
  private var deadline: Scheduled<Void>?
  private var isAnswered = false

  init(_ registry: PrometheusRegistry, _ figures: ProcessFigures, _ time: TimeAmount, _ logger: Logger) {
    self.registry = registry
    self.figures = figures
    self.time = time
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
    isAnswered = true
    let path = head.uri.prefix { $0 != "?" }
    if head.method != .GET {
      answer(context, .methodNotAllowed, "text/plain", "Only GET is answered here.\n", allow: true)
    } else if path == "/metrics" {
      var text = registry.text()
      figures.write(to: &text)
      answer(context, .ok, PrometheusText.contentType, text)
    } else {
      answer(context, .notFound, "text/plain", "The metrics are at /metrics.\n")
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.debug("metrics: a connection from \(context.remoteAddress.map { "\($0)" } ?? "somewhere") broke off: \(error)")
    context.close(promise: nil)
  }

  private func answer(
    _ context: ChannelHandlerContext, _ status: HTTPResponseStatus, _ type: String, _ text: String, allow: Bool = false
  ) {
    var headers = HTTPHeaders([
      ("Content-Type", type), ("Content-Length", "\(text.utf8.count)"), ("Connection", "close"), ("Cache-Control", "no-store"),
    ])
    if allow { headers.add(name: "Allow", value: "GET") }
    context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: text)))), promise: nil)
    let channel = context.channel
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
  }
}
