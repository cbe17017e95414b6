/** Decides in which memory of a host its ranks have their weights and buffers. */
package org.glmtuner.placement;
