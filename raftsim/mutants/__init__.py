"""Planted bugs: a catalogue of mistakes that were made in implementations of Raft, each planted into a copy of this
package, and a trap for each that falls shut when the mistake is there and only then.
"""
