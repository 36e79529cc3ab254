// The few signs on buttons. They stand beside words, or under a label, so they say nothing by themselves.

interface IconProps {
	readonly path: string;
}

function Icon({ path }: IconProps) {
	return (
		<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
			<path d={path} />
		</svg>
	);
}

export const PlayIcon = () => <Icon path="M4 2.5v11l9.5-5.5z" />;
export const PauseIcon = () => <Icon path="M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" />;
export const StepIcon = () => <Icon path="M3 2.5v11L10.5 8zM11 2.5h2v11h-2z" />;
export const ResetIcon = () => <Icon path="M8 2.6a5.4 5.4 0 1 0 5.2 4h-2a3.5 3.5 0 1 1-3.2-2.1v2.2l4-3.2-4-3.2z" />;
