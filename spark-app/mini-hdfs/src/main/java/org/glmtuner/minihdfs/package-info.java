/** A real HDFS (name node and data node) in one throw-away process, for quickstart and tests. */
package org.glmtuner.minihdfs;
