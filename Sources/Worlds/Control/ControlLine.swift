import NIOCore

/// One end of a conversation: frames come when they are asked for, and a write returns when the system has taken it, so that the slower
/// side sets the pace and neither keeps more than a few frames in memory.
public final class ControlLine: Sendable {
  let channel: any Channel
  private let inbox: NIOLoopBound<ControlInbox>

  private init(_ channel: any Channel, _ inbox: ControlInbox) {
    self.channel = channel
    self.inbox = NIOLoopBound(inbox, eventLoop: channel.eventLoop)
  }

  /// Puts frames on a socket that reads only when it is told to; on the socket's loop.
  static func over(_ channel: any Channel) throws -> ControlLine {
    let inbox = ControlInbox(channel.eventLoop)
    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(ControlDecoder()))
    try channel.pipeline.syncOperations.addHandler(MessageToByteHandler(ControlEncoder()))
    try channel.pipeline.syncOperations.addHandler(inbox)
    return ControlLine(channel, inbox)
  }

  /// The next frame; `nil` when the other side has hung up. A task that is cancelled meanwhile hangs up.
  public func next() async throws -> ControlFrame? {
    try await withTaskCancellationHandler {
      try await channel.eventLoop.flatSubmit { self.inbox.value.next() }.get()
    } onCancel: {
      hangUp()
    }
  }

  /// Sends a frame; returns when the system has taken it, throws if the other side has hung up.
  public func write(_ frame: ControlFrame) async throws { try await channel.writeAndFlush(frame).get() }

  /// Ends the conversation.
  public func hangUp() { channel.close(promise: nil) }

  /// Nothing that the other side still says is read; that it hangs up is noticed.
  func ignoreTheRest() { channel.eventLoop.execute { self.inbox.value.ignoreTheRest() } }
}

/// Frames that came, until somebody wants them.
final class ControlInbox: ChannelInboundHandler {
  typealias InboundIn = ControlFrame

  private let loop: any EventLoop
  private var context: ChannelHandlerContext?
  private var frames: [ControlFrame] = []
  private var waiting: EventLoopPromise<ControlFrame?>?
  private var failure: (any Error)?
  private var isOver = false
  private var isIgnoring = false

  init(_ loop: any EventLoop) { self.loop = loop }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    end()
  }

  /// The next frame, when it comes.
  func next() -> EventLoopFuture<ControlFrame?> {
    if !frames.isEmpty { return loop.makeSucceededFuture(frames.removeFirst()) }
    guard !isOver, let context else { return last }
    precondition(waiting == nil, "a conversation has one reader")
    let promise = loop.makePromise(of: ControlFrame?.self)
    waiting = promise
    read(context)
    return promise.futureResult
  }

  /// What is said to who asks after the end.
  private var last: EventLoopFuture<ControlFrame?> {
    if let failure { return loop.makeFailedFuture(failure) }
    return loop.makeSucceededFuture(nil)
  }

  /// What comes from now on is nobody's; that the other side hangs up is noticed all the same.
  func ignoreTheRest() {
    isIgnoring = true
    frames = []
    if let context { read(context) }
  }

  /// Reads once the socket can be read; asked before, a channel would forget it.
  private func read(_ context: ChannelHandlerContext) { if context.channel.isActive { context.read() } }

  func channelActive(context: ChannelHandlerContext) {
    if waiting != nil || isIgnoring { context.read() }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if isIgnoring { return }
    guard let promise = waiting else {
      frames.append(frame)
      return
    }
    waiting = nil
    promise.succeed(frame)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if waiting != nil || isIgnoring { context.read() }
    context.fireChannelReadComplete()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = failure ?? error
    end()
    context.close(promise: nil)
  }

  private func end() {
    isOver = true
    guard let promise = waiting else { return }
    waiting = nil
    if let failure { promise.fail(failure) } else { promise.succeed(nil) }
  }
}
