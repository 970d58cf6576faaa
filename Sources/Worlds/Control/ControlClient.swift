import Foundation
import NIOCore
import NIOPosix

/// A program that asks a running peer.
public struct ControlClient: Sendable {
  /// The peer's socket.
  public let place: ControlPlace

  /// A client of the peer at `place`.
  public init(_ place: ControlPlace) { self.place = place }

  /// Asks, and gives what the peer answers. `source` gives the parts of the file that the request brings, `nil` at its end; `note` hears how
  /// far it is; `sink` takes bytes that the peer gives. Throws what the peer says against it, or that no peer is there.
  public func ask<Answer: Decodable & Sendable>(
    _ request: ControlRequest, for: Answer.Type = Answer.self, source: (@Sendable () throws -> [UInt8]?)? = nil,
    note: @Sendable (ControlNote) -> Void = { _ in }, sink: @Sendable ([UInt8]) throws -> Void = { _ in }
  ) async throws -> Answer {
    let line = try await connect()
    defer { line.hangUp() }
    let question = try ControlLine.json(ControlQuestion(request))
    // If the peer hangs up at once, what it said before says more than that.
    try? await line.write(.request(question))
    let sending = source.map { source in
      _Concurrency.Task {
        while let bytes = try source() {
          for start in stride(from: 0, to: bytes.count, by: ControlFrame.mostBytes) {
            try await line.write(.bytes(Array(bytes[start..<min(start + ControlFrame.mostBytes, bytes.count)])))
          }
        }
        try await line.write(.end)
      }
    }
    defer { sending?.cancel() }
    let watched = sending.map { sending in
      _Concurrency.Task {
        // A file that cannot be read ends the conversation; a peer that hung up has said why, or its silence is the reason.
        do { try await sending.value } catch let error where !(error is ChannelError || error is IOError) {
          line.hangUp()
          throw error
        } catch { return }
      }
    }
    while true {
      guard let frame = try await next(line) else {
        try await watched?.value
        throw ControlError("control socket \(place.path): the peer ended in the middle of its answer; is it still running?")
      }
      switch frame {
      case .answer(let json): return try JSONDecoder().decode(Answer.self, from: Data(json))
      case .failure(let words): throw ControlError(words)
      case .note(let json): if let told = try? JSONDecoder().decode(ControlNote.self, from: Data(json)) { note(told) }
      case .bytes(let bytes): try sink(bytes)
      case .request, .end:
        throw ControlError("control socket \(place.path): the other side asks instead of answering; is it a peer?")
      }
    }
  }

  /// The next frame; a connection that breaks is one that ends.
  private func next(_ line: ControlLine) async throws -> ControlFrame? {
    do { return try await line.next() } catch let error where error is IOError || error is ChannelError { return nil }
  }

  private func connect() async throws -> ControlLine {
    do {
      return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.seconds(5))
        .channelOption(.autoRead, value: false)
        .connect(unixDomainSocketPath: place.path) { channel in
          channel.eventLoop.makeCompletedFuture { try ControlLine.over(channel) }
        }
    } catch { throw place.unreachable() }
  }
}
