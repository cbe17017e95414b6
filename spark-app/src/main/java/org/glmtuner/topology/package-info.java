/** What a host is made of, as far as ranks and their memory care: CPU clusters and NUMA nodes. */
package org.glmtuner.topology;
