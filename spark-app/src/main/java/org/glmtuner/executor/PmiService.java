package org.glmtuner.executor;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The {@link PmiServer} of a rank on a thread and a socket of its own. */
final class PmiService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PmiService.class);

  private final int rank;
  private final Path socket;
  private final ServerSocketChannel server;
  private final Thread thread;

  private PmiService(
      PmiServer pmi, int rank, Path socket, ServerSocketChannel server, Runnable onAbort) {
    this.rank = rank;
    this.socket = socket;
    this.server = server;
    this.thread = new Thread(() -> serve(pmi, onAbort), "pmi-" + rank);
  }

  /**
   * Serves the rank of a task.
   *
   * @param host where its socket goes, and its end if MPI aborts
   */
  static PmiService start(PmiServer pmi, int rank, RankHost host) throws IOException {
    Path socket = host.directory().pmiSocket();
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    PmiService service = new PmiService(pmi, rank, socket, server, host.session()::mpiHasAborted);
    service.thread.setDaemon(true);
    service.thread.start();
    return service;
  }

  Path socket() {
    return socket;
  }

  @Override
  public void close() throws IOException {
    thread.interrupt(); // closes the connection that it reads
    server.close();
  }

  private void serve(PmiServer pmi, Runnable onAbort) {
    try (SocketChannel connection = server.accept()) {
      PmiServer.End end = pmi.serve(connection, onAbort);
      LOG.info("PMI of rank {}: {}", rank, end);
    } catch (AsynchronousCloseException | InterruptedException e) {
      LOG.debug("PMI of rank {} closed", rank);
    } catch (IOException | RuntimeException e) {
      LOG.warn("PMI of rank {} ended: {}", rank, e.getMessage());
    }
  }
}
