import NIOCore

/// Counts the bytes that are given to a socket.
final class SocketCounter: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let count: (Int) -> Void

  init(_ count: @escaping (Int) -> Void) { self.count = count }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    count(unwrapOutboundIn(data).readableBytes)
    context.write(data, promise: promise)
  }
}
