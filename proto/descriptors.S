/* The serialized FileDescriptorSet of every .proto of the project, for server
   reflection and for the test that the public API only ever gains fields. */
	.section .rodata
	.global descriptors_start, descriptors_end
	.balign 16
descriptors_start:
	.incbin "descriptors.pb"
descriptors_end:
	.section .note.GNU-stack,"",@progbits
