import Foundation
public import NIOCore
import NIOPosix
import Synchronization

/// The control socket of a running peer: whoever started it may ask, nobody else.
///
/// Each conversation is one request. A program that hangs up cancels what it asked for.
public final class ControlServer: Sendable {
  /// Carries a request out; what it throws is told in words.
  public typealias Desk = @Sendable (ControlRequest, ControlLine) async throws -> Void

  /// Conversations at a time; a further one is told to come back later.
  public static let mostConversations = 32
  /// How long a program may take to say what it wants.
  static let patience = TimeAmount.seconds(10)

  /// Where it is.
  public let place: ControlPlace
  private let desk: Desk
  private let state = Mutex(State())

  private struct State {
    var listener: (any Channel)?
    var lines: [ObjectIdentifier: ControlLine] = [:]
    var isClosed = false
  }

  private init(_ place: ControlPlace, _ desk: @escaping Desk) {
    self.place = place
    self.desk = desk
  }

  /// Listens from now on; conversations are on a loop of `group`.
  public static func open(
    _ place: ControlPlace, group: any EventLoopGroup, desk: @escaping Desk
  ) async throws -> ControlServer {
    let server = ControlServer(place, desk)
    let descriptor = try place.bindSocket()
    let listener = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 16)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { server.greet(try ControlLine.over(channel)) }
      }
      .withBoundSocket(descriptor).get()
    server.state.withLock { $0.listener = listener }
    return server
  }

  /// Hears nobody any more, and ends what is going on.
  public func close() {
    let (listener, lines) = state.withLock { state in
      state.isClosed = true
      // house:allow(order) every one is closed
      return (state.listener, Array(state.lines.values))
    }
    listener?.close(promise: nil)
    for line in lines { line.hangUp() }
    unsafe unlink(place.path)
  }

  private func greet(_ line: ControlLine) {
    let isOne = state.withLock { state in
      guard !state.isClosed, state.lines.count < ControlServer.mostConversations else { return false }
      state.lines[ObjectIdentifier(line)] = line
      return true
    }
    line.channel.closeFuture.whenComplete { _ in self.state.withLock { $0.lines[ObjectIdentifier(line)] = nil } }
    let work = _Concurrency.Task {
      var brings = false
      do {
        guard isOne else {
          throw ControlError(
            "the peer answers \(ControlServer.mostConversations) programs at a time; wait for one of them to end")
        }
        let request = try await self.request(line)
        brings = request.brings
        // What a request brings is read by whoever carries it out; then it notices by itself that nothing more comes.
        if !request.brings { line.ignoreTheRest() }
        try await self.desk(request, line)
      } catch {
        try? await line.write(.failure("\(error)"))
        if brings { await self.drain(line) }
      }
      line.hangUp()
    }
    line.channel.closeFuture.whenComplete { _ in work.cancel() }
  }

  /// Reads what a program still sends, so that it comes to hear why nothing became of it.
  private func drain(_ line: ControlLine) async {
    let alarm = line.channel.eventLoop.scheduleTask(in: ControlServer.patience) { line.hangUp() }
    while (try? await line.next()) != nil { continue }
    alarm.cancel()
  }

  /// What a program wants, if it says so in time.
  private func request(_ line: ControlLine) async throws -> ControlRequest {
    let alarm = line.channel.eventLoop.scheduleTask(in: ControlServer.patience) { line.hangUp() }
    defer { alarm.cancel() }
    guard case .request(let json)? = try await line.next() else { throw ControlError("nothing was asked") }
    do { return try JSONDecoder().decode(ControlQuestion.self, from: Data(json)).request } catch {
      throw ControlError(
        "the running peer does not know what it is asked (its control protocol has version \(ControlQuestion.version)); "
          + "use the program of the version that it was started with")
    }
  }
}

extension ControlLine {
  /// Says what came of a request; nothing follows.
  public func answer(_ answer: some Encodable) async throws { try await write(.answer(ControlLine.json(answer))) }

  /// Says how far it is.
  public func note(_ note: ControlNote) async throws { try await write(.note(ControlLine.json(note))) }

  static func json(_ value: some Encodable) throws -> [UInt8] {
    let bytes = Array(try JSONEncoder().encode(value))
    guard bytes.count <= ControlFrame.mostText else {
      throw ControlError("the answer has \(bytes.count) bytes, more than can be said at once")
    }
    return bytes
  }
}
