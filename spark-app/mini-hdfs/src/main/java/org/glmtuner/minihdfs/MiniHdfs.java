package org.glmtuner.minihdfs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * Starts an HDFS on loopback and serves it until its standard input ends, so it never outlives the
 * process that started it.
 *
 * <p>Usage: {@code MiniHdfs DIRECTORY}. Blocks and logs go below DIRECTORY; {@code
 * DIRECTORY/conf/core-site.xml} is what clients set {@code HADOOP_CONF_DIR} to. The first line on
 * standard output is the file system's URI, printed once it accepts writes.
 */
public final class MiniHdfs {
  private MiniHdfs() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1 && arguments.length != 3) {
      System.err.println("Usage: MiniHdfs DIRECTORY [LOCAL REMOTE]");
      System.exit(2);
    }
    Path directory = Path.of(arguments[0]).toAbsolutePath();
    Path clientConfiguration = Files.createDirectories(directory.resolve("conf"));

    Configuration server = new Configuration();
    server.set("hadoop.tmp.dir", directory.resolve("tmp").toString());
    server.set("dfs.replication", "1");
    server.set("dfs.namenode.rpc-bind-host", "127.0.0.1");
    server.set("dfs.datanode.address", "127.0.0.1:0");
    server.set("dfs.datanode.http.address", "127.0.0.1:0");
    server.set("dfs.datanode.ipc.address", "127.0.0.1:0");
    server.setBoolean("dfs.permissions.enabled", false);
    try (MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(server, directory.resolve("dfs").toFile())
            .numDataNodes(1)
            .build()) {
      cluster.waitActive();
      String uri = "hdfs://127.0.0.1:" + cluster.getNameNodePort();
      Configuration client = new Configuration(false);
      client.set("fs.defaultFS", uri);
      client.set("dfs.replication", "1");
      try (OutputStream out = Files.newOutputStream(clientConfiguration.resolve("core-site.xml"))) {
        client.writeXml(out);
      }
      if (arguments.length == 3) {
        cluster
            .getFileSystem()
            .copyFromLocalFile(
                new org.apache.hadoop.fs.Path(arguments[1]),
                new org.apache.hadoop.fs.Path(arguments[2]));
      }
      System.out.write((uri + "\n").getBytes(StandardCharsets.US_ASCII));
      System.out.flush();
      while (System.in.read() >= 0) {
        // whoever started this process keeps its end of the pipe open
      }
    }
    System.exit(0); // Hadoop leaves threads behind
  }
}
