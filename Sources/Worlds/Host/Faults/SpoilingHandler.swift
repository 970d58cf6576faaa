import NIOCore

/// Stands between a socket and its connection, and flips one bit of the next bytes that leave when it is told to.
final class SpoilingHandler: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The event that tells it so.
  struct Spoil: Sendable {}

  private var isDue = false

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is Spoil else { return context.triggerUserOutboundEvent(event, promise: promise) }
    isDue = true
    promise?.succeed()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard isDue else { return context.write(data, promise: promise) }
    var buffer = unwrapOutboundIn(data)
    guard let last = buffer.getInteger(at: buffer.writerIndex - 1, as: UInt8.self) else {
      return context.write(data, promise: promise)
    }
    isDue = false
    buffer.setInteger(last ^ 1, at: buffer.writerIndex - 1)
    context.write(wrapOutboundOut(buffer), promise: promise)
  }
}
