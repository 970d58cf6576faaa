public import MurmurChannels
import MurmurMachines
import NIOCore

/// A stream for callers that wait: `async` reads and writes over a ``PeerStream``. One hop between threads each, so it is for tests, tools
/// and requests, not for every frame of a busy stream.
public final class WaitingStream: StreamHandler, Sendable {
  private struct State {
    var stream: PeerStream?
    var bytes: [UInt8] = []
    /// Of these, how many the peer may not replace by others yet.
    var owed = 0
    var isEnded = false
    var error: ConnectionError?
    var opening: EventLoopPromise<WaitingStream>?
    var reader: (count: Int, promise: EventLoopPromise<[UInt8]>)?
    var writers: [EventLoopPromise<Void>] = []
  }

  /// Bytes that may come before anybody wants to read them; the peer waits with more than that and a window.
  public static let unreadBytes = 256 << 10

  private let loop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  private init(_ state: NIOLoopBoundBox<State>, on loop: any EventLoop) {
    self.state = state
    self.loop = loop
  }

  /// A stream that the peer opened; give it as the stream's handler, on the link's loop.
  public convenience init(accepting stream: PeerStream) {
    self.init(NIOLoopBoundBox(State(stream: stream), eventLoop: stream.link.loop), on: stream.link.loop)
  }

  /// Opens a stream for the first of `protocols` that the peer speaks.
  public static func open(_ link: Link, _ protocols: [String]) async throws -> WaitingStream {
    let promise = link.loop.makePromise(of: WaitingStream.self)
    link.execute { link in
      let box = NIOLoopBoundBox(State(opening: promise), eventLoop: link.loop)
      link.open(protocols, handler: WaitingStream(box, on: link.loop))
    }
    return try await promise.futureResult.get()
  }

  /// What is spoken on the stream.
  public var protocolName: String {
    get async throws { try await loop.submit { self.state.value.stream?.protocolName ?? "" }.get() }
  }

  /// Sends `bytes`; returns when little of it waits.
  public func write(_ bytes: [UInt8]) async throws {
    try await loop.flatSubmit { () -> EventLoopFuture<Void> in
      if let error = self.state.value.error { return self.loop.makeFailedFuture(error) }
      guard let stream = self.state.value.stream else { return self.loop.makeSucceededVoidFuture() }
      stream.write(bytes)
      guard stream.unsent > stream.lowWater else { return self.loop.makeSucceededVoidFuture() }
      let promise = self.loop.makePromise(of: Void.self)
      self.state.value.writers.append(promise)
      return promise.futureResult
    }.get()
  }

  /// Says that nothing more will be written.
  public func finish() { loop.execute { self.state.value.stream?.finish() } }

  /// Ends the stream both ways; whoever waits on it hears `why`.
  public func reset(_ why: ConnectionError.Reason = .closedHere("the stream is not needed any more")) {
    loop.execute {
      guard let stream = self.state.value.stream else { return }
      stream.reset()
      if self.state.value.error == nil, !self.state.value.isEnded { self.closed(stream, ConnectionError(.open, why)) }
    }
  }

  /// Exactly `count` bytes, or fewer at the stream's end.
  public func read(_ count: Int) async throws -> [UInt8] {
    try await loop.flatSubmit { () -> EventLoopFuture<[UInt8]> in
      let promise = self.loop.makePromise(of: [UInt8].self)
      precondition(self.state.value.reader == nil, "a stream has one reader at a time")
      self.state.value.reader = (count, promise)
      self.giveBack()
      self.serve()
      return promise.futureResult
    }.get()
  }

  /// All bytes up to the stream's end, at most `most`.
  public func readAll(most: Int = 16 << 20) async throws -> [UInt8] { try await read(most) }

  private func serve() {
    guard let (count, promise) = state.value.reader else { return }
    let waiting = state.value.bytes.count
    guard waiting >= count || state.value.isEnded || state.value.error != nil else {
      return
    }
    state.value.reader = nil
    if waiting < count, let error = state.value.error { return promise.fail(error) }
    let taken = Array(state.value.bytes.prefix(count))
    state.value.bytes.removeFirst(taken.count)
    giveBack()
    promise.succeed(taken)
  }

  /// Lets the peer send more, while no more waits than somebody wants or ``unreadBytes``.
  private func giveBack() {
    let owed = state.value.owed
    guard owed > 0, state.value.error == nil, let stream = state.value.stream else { return }
    guard state.value.bytes.count <= max(state.value.reader?.count ?? 0, WaitingStream.unreadBytes) else { return }
    state.value.owed = 0
    stream.consumed(owed)
  }

  // MARK: The stream's handler

  /// The stream is there.
  public func opened(_ stream: PeerStream) {
    state.value.stream = stream
    state.value.opening?.succeed(self)
    state.value.opening = nil
  }

  /// The stream will not come.
  public func refused(_ error: ConnectionError) {
    state.value.opening?.fail(error)
    state.value.opening = nil
  }

  /// Keeps bytes until they are read.
  public func received(_ bytes: [UInt8], on stream: PeerStream) {
    state.value.bytes += bytes
    state.value.owed += bytes.count
    serve()
    giveBack()
  }

  /// The peer has finished.
  public func ended(_ stream: PeerStream) {
    state.value.isEnded = true
    serve()
  }

  /// Writers go on.
  public func drained(_ stream: PeerStream) {
    let writers = state.value.writers
    state.value.writers = []
    for writer in writers { writer.succeed(()) }
  }

  /// The stream is over.
  public func closed(_ stream: PeerStream, _ error: ConnectionError?) {
    state.value.error = error
    if error == nil { state.value.isEnded = true }
    let writers = state.value.writers
    state.value.writers = []
    for writer in writers { if let error { writer.fail(error) } else { writer.succeed(()) } }
    serve()
  }
}
