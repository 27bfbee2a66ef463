"""What was found and walked, as plain data: a leaf that imports nothing of the
package."""
